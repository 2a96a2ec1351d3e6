import type { Format } from "../format";
import { summaryOf, type Series } from "../summary";
import { Bars } from "./Bars";

/** A quiet year in small bars, and the sentence that says the same. */
export function Sparkline({ series, format }: { series: Series; format: Format }) {
  const { points, interval } = series;
  const [first, last] = [points.at(0), points.at(-1)];
  return (
    <figure className="sparkline">
      <Bars points={points} />
      {first && last && (
        <div className="ends" aria-hidden="true">
          <span>{ended(first, interval, format)}</span>
          <span>{ended(last, interval, format)}</span>
        </div>
      )}
      <figcaption>{summaryOf(series, format)}</figcaption>
    </figure>
  );
}

function ended(point: Series["points"][number], interval: Series["interval"], format: Format) {
  const { text, year } = format.tick(point, interval);
  return `${text} ${year}`.trim();
}
