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
  const top = fullest(points);
  if (top?.value == null) return copy.summary.none(metric);
  const sum = total(points);
  const counts = countOf(metric, sum, format);
  const when = format.bucket(top, interval);
  if (top.value === sum) return copy.summary.all(counts, when);
  const many = format.number(top.value);
  const alone = points.filter(({ value }) => value === top.value).length === 1;
  return alone ? copy.summary.most(counts, when, many) : copy.summary.upTo(counts, many, interval);
}

/** Say what one bucket holds: "March 2026: 9 memories". */
export function bucketText({ metric, interval }: Series, point: Point, format: Format): string {
  const shown = point.value === null ? copy.notShown : countOf(metric, point.value, format);
  const running = point.complete ? "" : ` ${copy.running}`;
  return `${format.bucket(point, interval)}: ${shown}${running}`;
}

export function countOf(metric: Metric, count: number, format: Format): string {
  return copy.count(metric, count, format.number(count));
}
