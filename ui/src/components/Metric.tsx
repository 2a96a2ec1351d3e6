import { copy } from "../copy";
import type { Metric as Name } from "../data/overview";
import type { Format } from "../format";
import { testId } from "../identity";

export interface MetricProps {
  metric: Name;
  value: number;
  format: Format;
  size: "large" | "small";
  /** Add the line that says what is counted. */
  explained?: boolean;
}

/** One number and what it counts; lives in a `<dl>`. */
export function Metric({ metric, value, format, size, explained = false }: MetricProps) {
  return (
    <div className={`metric metric-${size}`}>
      <dt>
        {copy.noun(metric, value)}
        {explained && <small>{copy.note(metric)}</small>}
      </dt>
      <dd data-testid={testId(`metric-${metric}`)}>{format.number(value)}</dd>
    </div>
  );
}
