import { withQuery, type Envelope, type Meta } from "@mosaiclife/plugin-sdk";
import type { Bucket, Interval } from "./series";

/** What gathers around a legacy, what is told before what is left. */
export const METRICS = [
  "stories",
  "storytellers",
  "responses",
  "media",
  "candles",
  "hearts",
  "smiles",
] as const;
export type Metric = (typeof METRICS)[number];

export interface MetricValue {
  metric: Metric;
  value: number;
}

export interface Overview {
  legacyId: string | null;
  metrics: MetricValue[];
  sparkline: { metric: Metric; interval: Interval; buckets: Bucket[] };
}

/** What every report says about itself beside its numbers. */
export interface ReportMeta extends Meta {
  freshness: { watermark: string | null; dirtyDays: number };
}

export type Report<T> = Envelope<T, ReportMeta>;

/** Where the overview of one legacy, or of all, is found. */
export function overviewPath(legacyId?: string, timezone?: string): string {
  return withQuery("/v1/data/overview", { legacyId, period: "all", timezone });
}

export type Counts = Record<Metric, number>;

/** Look the numbers up by metric; one that was not sent counts nothing. */
export function countsOf({ metrics }: Overview): Counts {
  const sent = new Map(metrics.map(({ metric, value }) => [metric, value]));
  return Object.fromEntries(METRICS.map((metric) => [metric, sent.get(metric) ?? 0])) as Counts;
}

/** Count the things that lie here; people are not things. */
export function sizeOf(counts: Counts): number {
  const things = METRICS.filter((metric) => metric !== "storytellers");
  return things.reduce((sum, metric) => sum + counts[metric], 0);
}

export type Step = "invite" | "answer";

/** Choose one kind next step, the most needed first, or none. */
export function nextStep(counts: Counts): Step | undefined {
  if (counts.stories > 0 && counts.storytellers === 1) return "invite";
  if (counts.stories > 0 && counts.responses === 0) return "answer";
  return undefined;
}
