import { copy } from "../copy";
import type { Format } from "../format";
import { summaryOf, type Series } from "../summary";

/** The same numbers as a table, for whoever prefers to read them. */
export function DataTable({ series, format }: { series: Series; format: Format }) {
  const { metric, interval, points } = series;
  return (
    <details className="twin">
      <summary>{copy.table(interval)}</summary>
      <table>
        <caption>{summaryOf(series, format)}</caption>
        <thead>
          <tr>
            <th scope="col">{copy.when(interval)}</th>
            <th scope="col">{copy.heading(metric)}</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.start}>
              <th scope="row">
                {format.bucket(point, interval)}
                {point.running && ` (${copy.running})`}
              </th>
              <td>{point.value === null ? copy.notShown : format.number(point.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
