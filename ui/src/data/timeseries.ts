import { withQuery } from "@mosaiclife/plugin-sdk";
import type { Metric } from "./overview";
import type { Bucket, Interval } from "./series";

export interface TimeSeries {
  metrics: Metric[];
  interval: Interval;
  buckets: Bucket[];
}

export const PERIODS = ["30d", "12mo", "all"] as const;
export type Period = (typeof PERIODS)[number];

/** The intervals that read well in a period, its own first. */
export const INTERVALS_OF: Record<Period, readonly [Interval, ...Interval[]]> = {
  "30d": ["day", "week"],
  "12mo": ["month", "week", "quarter"],
  all: ["quarter", "month", "year"],
};

/** What can be counted over time: every metric but people, who may tell more than once. */
export const TOLD_OVER_TIME = [
  "stories",
  "responses",
  "media",
  "candles",
  "hearts",
  "smiles",
] as const satisfies readonly Metric[];

export interface TimeSeriesQuery {
  legacyId: string;
  metric: Metric;
  interval: Interval;
  period: Period;
  timezone?: string | undefined;
}

/** Where a metric over time is found. */
export function timeSeriesPath(query: TimeSeriesQuery): string {
  return withQuery("/v1/data/timeseries", { ...query });
}
