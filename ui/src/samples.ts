/** Answers of a plausible backend, for the tests and for the standalone page. */
import { createFakeSdk, type FakeSdk } from "@mosaiclife/plugin-sdk/testing";
import type { PanelContext } from "@mosaiclife/plugin-sdk";
import { METRICS, type Counts, type Overview, type Report } from "./data/overview";
import type { Bucket } from "./data/series";
import type { TimeSeries } from "./data/timeseries";

export const LEGACY = { id: "01LEGACY", name: "Astrid Lindqvist", role: "creator" };
export const OVERVIEW = "/v1/data/overview";
export const TIMESERIES = "/v1/data/timeseries";

export const COUNTS: Counts = {
  stories: 12,
  storytellers: 7,
  responses: 9,
  candles: 31,
  hearts: 18,
  smiles: 4,
  media: 22,
};

export const NONE = Object.fromEntries(METRICS.map((metric) => [metric, 0])) as Counts;

/** A year of months; the last one is still running. */
export function months(values: readonly (number | null)[], year = 2026): Bucket[] {
  return values.map((value, index) => ({
    start: monthStart(year, index),
    end: monthStart(year, index + 1),
    complete: index < values.length - 1,
    values: [value],
  }));
}

function monthStart(year: number, month: number): string {
  return new Date(Date.UTC(year, month)).toISOString().slice(0, 10);
}

export function report<T>(data: T): Report<T> {
  return {
    data,
    meta: {
      requestId: "01REQUEST",
      timestamp: "2026-12-09T10:00:00Z",
      freshness: { watermark: "2026-12-09T09:59:00Z", dirtyDays: 0 },
    },
  };
}

export function overview(counts: Counts = COUNTS): Report<Overview> {
  const metrics = METRICS.map((metric) => ({ metric, value: counts[metric] }));
  const buckets = months([0, 1, 0, 2, 0, 0, 5, 1, 0, 1, 1, 1]);
  return report({
    legacyId: LEGACY.id,
    metrics,
    sparkline: { metric: "stories", interval: "month", buckets },
  });
}

export function timeSeries(values: readonly (number | null)[] = [1, 4, 2]): Report<TimeSeries> {
  return report({ metrics: ["stories"], interval: "month", buckets: months(values) });
}

export function fakeSdk(): FakeSdk {
  return createFakeSdk({ responses: { [OVERVIEW]: overview(), [TIMESERIES]: timeSeries() } });
}

export function panelContext(sdk: FakeSdk, more: Partial<PanelContext> = {}): PanelContext {
  return {
    sdk,
    tenantId: "t",
    locale: "en-GB",
    legacyId: LEGACY.id,
    legacyName: LEGACY.name,
    ...more,
  };
}
