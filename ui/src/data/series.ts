/** A metric over time, and what can be said about it. Pure functions only. */
export const INTERVALS = ["day", "week", "month", "quarter", "year"] as const;
export type Interval = (typeof INTERVALS)[number];

/** A bucket as the backend sends it; dates are local and half open. */
export interface Bucket {
  start: string;
  end: string;
  /** False where the report ends within the bucket, or begins within it. */
  complete: boolean;
  /** One value for each metric; null where the circle is too small to show it. */
  values: (number | null)[];
}

export interface Point {
  start: string;
  end: string;
  /** True for the newest bucket until it is over. */
  running: boolean;
  value: number | null;
}

/** A point with something in it. */
export type FullPoint = Point & { value: number };

/** Take one metric's column out of the buckets. */
export function pointsOf(buckets: readonly Bucket[], column = 0): Point[] {
  const last = buckets.length - 1;
  return buckets.map(({ start, end, complete, values }, index) => {
    const running = !complete && index === last;
    return { start, end, running, value: values[column] ?? null };
  });
}

/** Sum what is shown. */
export function total(points: readonly Point[]): number {
  return points.reduce((sum, { value }) => sum + (value ?? 0), 0);
}

/** Find the fullest bucket, the earliest of equals; none when nothing happened at all. */
export function fullest(points: readonly Point[]): FullPoint | undefined {
  const highest = maximum(points);
  const found = points.find(({ value }) => value === highest);
  return highest === 0 || found === undefined ? undefined : { ...found, value: highest };
}

/** Return the highest value, 0 when there is none. */
export function maximum(points: readonly Point[]): number {
  return Math.max(0, ...points.map(({ value }) => value ?? 0));
}

/** Choose round, whole steps for an axis that starts at 0 and holds *max*. */
export function axisSteps(max: number, wanted = 3): number[] {
  const step = roundUp(Math.max(1, max) / wanted);
  const count = Math.max(1, Math.ceil(max / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Choose at most *most* of *count* places for labels, evenly, the newest always among them. */
export function labelPlaces(count: number, most: number): number[] {
  const stride = Math.max(1, Math.ceil(count / most));
  const places = Array.from({ length: count }, (_, index) => index);
  return places.filter((index) => (count - 1 - index) % stride === 0);
}

/** The next of 1, 2, 5, 10, 20, 50 … that is not below *value*. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return Math.max(1, factor * power);
}
