import { labelPlaces } from "../data/series";
import type { Format, Tick } from "../format";
import type { Series } from "../summary";

export interface AxisProps {
  series: Series;
  steps: readonly number[];
  format: Format;
}

/** As many labels as fit on a phone. */
const MOST_LABELS = 6;

/** Lines with their values behind the bars, and dates below them. For the eye only. */
export function Axis({ series, steps, format }: AxisProps) {
  const top = steps.at(-1) ?? 1;
  return (
    <div className="axis" aria-hidden="true">
      {steps.map((step) => (
        <div key={step} className="line" style={{ insetBlockEnd: `${(step / top) * 100}%` }}>
          <span>{format.number(step)}</span>
        </div>
      ))}
      {ticksOf(series, format).map(({ place, text, year }) => (
        <div key={place} className="tick" style={{ insetInlineStart: `${place}%` }}>
          <span>{text}</span>
          <span className="year">{year}</span>
        </div>
      ))}
    </div>
  );
}

interface PlacedTick extends Tick {
  place: number;
}

/** Choose the labels; a year stands only where it begins or changes. */
function ticksOf({ points, interval }: Series, format: Format): PlacedTick[] {
  const ticks = labelPlaces(points.length, MOST_LABELS).flatMap((index) => {
    const point = points[index];
    const place = ((index + 0.5) / points.length) * 100;
    return point === undefined ? [] : [{ place, ...format.tick(point, interval) }];
  });
  return ticks.map((tick, index) =>
    tick.year === ticks[index - 1]?.year ? { ...tick, year: "" } : tick,
  );
}
