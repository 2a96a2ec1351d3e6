import { copy } from "./copy";
import type { Metric } from "./data/overview";
import { fullest, total, type Interval, type Point } from "./data/series";
import type { Format } from "./format";

/** What a chart shows: one metric, bucket by bucket. */
export interface Series {
  metric: Metric;
  interval: Interval;
  points: readonly Point[];
}

/** Say in one or two sentences what the eye sees in a chart. */
export function summaryOf(series: Series, format: Format): string {
  const hidden = series.points.some(({ value }) => value === null);
  return [shapeOf(series, format), hidden && copy.summary.hidden].filter(Boolean).join(" ");
}

function shapeOf({ metric, interval, points }: Series, format: Format): string {
  const [first] = points;
  if (first === undefined) return "";
  const since = format.beginning(first, interval);
  const sum = total(points);
  const top = fullest(points);
  if (top === undefined || sum <= 0) return copy.summary.none(metric, since);
  const counts = copy.summary.since(countOf(metric, sum, format), since);
  const when = copy.at(format.bucket(top, interval), interval);
  if (top.value === sum) return copy.summary.all(counts, when);
  const many = format.number(top.value);
  return isAlone(top, points)
    ? copy.summary.most(counts, when, many)
    : copy.summary.upTo(counts, many, interval);
}

function isAlone(top: Point, points: readonly Point[]): boolean {
  return points.filter(({ value }) => value === top.value).length === 1;
}

/** Say what one bucket holds: "March 2026: 9 memories". */
export function bucketText({ metric, interval }: Series, point: Point, format: Format): string {
  const shown = point.value === null ? copy.notShown : changeOf(metric, point.value, format);
  const running = point.running ? ` ${copy.running}` : "";
  return `${format.bucket(point, interval)}: ${shown}${running}`;
}

/** A deletion counts on its own day, so a bucket may hold less than nothing. */
function changeOf(metric: Metric, value: number, format: Format): string {
  if (value >= 0) return countOf(metric, value, format);
  return copy.takenBack(countOf(metric, -value, format));
}

export function countOf(metric: Metric, count: number, format: Format): string {
  return copy.count(metric, count, format.number(count));
}
