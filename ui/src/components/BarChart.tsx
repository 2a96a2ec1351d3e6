import { copy } from "../copy";
import { axisSteps, maximum } from "../data/series";
import type { Format } from "../format";
import { bucketText, summaryOf, type Series } from "../summary";
import { Axis } from "./Axis";
import { Bars } from "./Bars";
import { DataTable } from "./DataTable";
import { useCursor } from "./useCursor";

/** A metric over time: bars with a cursor for hand and keyboard, a sentence, and a twin table. */
export function BarChart({ series, format }: { series: Series; format: Format }) {
  const { points, interval } = series;
  const steps = axisSteps(maximum(points));
  const cursor = useCursor(points.length);
  const point = points[cursor.index];
  const reading = point === undefined ? "" : bucketText(series, point, format);
  return (
    <figure className="chart">
      <figcaption>{summaryOf(series, format)}</figcaption>
      <p className="reading" aria-hidden="true">
        {reading}
      </p>
      <div className="plot">
        <Axis series={series} steps={steps} format={format} />
        <div
          className="cursor"
          role="slider"
          tabIndex={0}
          aria-label={copy.through(interval)}
          aria-valuemin={1}
          aria-valuemax={points.length}
          aria-valuenow={cursor.index + 1}
          aria-valuetext={reading}
          {...cursor.handlers}
        >
          <Bars points={points} top={steps.at(-1) ?? 1} current={cursor.index} />
        </div>
      </div>
      <DataTable series={series} format={format} />
    </figure>
  );
}
