import type { SDK } from "@mosaiclife/plugin-sdk";
import { useId, useState } from "react";
import { BarChart } from "../components/BarChart";
import { Choice } from "../components/Choice";
import { ErrorState } from "../components/ErrorState";
import { Skeleton } from "../components/Skeleton";
import { copy } from "../copy";
import type { Report } from "../data/overview";
import { pointsOf } from "../data/series";
import {
  INTERVALS_OF,
  PERIODS,
  TOLD_OVER_TIME,
  timeSeriesPath,
  type TimeSeries,
} from "../data/timeseries";
import { useQueryState } from "../data/useQueryState";
import { useReport } from "../data/useReport";
import type { Format } from "../format";

export interface RhythmProps {
  sdk: SDK;
  legacyId: string;
  timezone: string | undefined;
  format: Format;
  /** Leave the controls away: too little has gathered to need them. */
  simple: boolean;
}

/** Rhythm: one metric over time, with its controls in the address. */
export function Rhythm({ sdk, legacyId, timezone, format, simple }: RhythmProps) {
  const heading = useId();
  const [metric, setMetric] = useQueryState("show", TOLD_OVER_TIME, "stories");
  const [period, setPeriod] = useQueryState("over", PERIODS, "12mo");
  const intervals = INTERVALS_OF[period];
  const [interval, setInterval] = useQueryState("by", intervals, intervals[0]);
  const path = timeSeriesPath({ legacyId, metric, interval, period, timezone });
  return (
    <section aria-labelledby={heading}>
      <h2 id={heading}>{copy.rhythm}</h2>
      <div className="card">
        {!simple && (
          <div className="controls">
            <Choice
              legend={copy.metric}
              options={TOLD_OVER_TIME}
              value={metric}
              nameOf={copy.heading}
              onChange={setMetric}
            />
            <Choice
              legend={copy.period}
              options={PERIODS}
              value={period}
              nameOf={copy.periodName}
              onChange={setPeriod}
            />
            <Choice
              legend={copy.interval}
              options={intervals}
              value={interval}
              nameOf={copy.intervalName}
              onChange={setInterval}
            />
          </div>
        )}
        <Chart sdk={sdk} path={path} legacyId={legacyId} format={format} />
      </div>
    </section>
  );
}

interface ChartProps {
  sdk: SDK;
  path: string;
  legacyId: string;
  format: Format;
}

function Chart({ sdk, path, legacyId, format }: ChartProps) {
  const { data, error, refresh } = useReport<Report<TimeSeries>>(sdk, path, legacyId);
  const shown = useLast(data);
  if (shown === undefined) {
    if (error) return <ErrorState error={error} onRetry={refresh} />;
    return <Skeleton shapes={["chart"]} />;
  }
  const { metrics, interval, buckets } = shown.data;
  const [metric = "stories"] = metrics;
  return (
    <div aria-busy={data === undefined && error === undefined}>
      <BarChart
        key={`${metric} ${interval} ${buckets.length}`}
        series={{ metric, interval, points: pointsOf(buckets) }}
        format={format}
      />
      {error && <ErrorState error={error} onRetry={refresh} stale />}
    </div>
  );
}

/** Keep the last value while the next one is on its way, so that a choice never blanks the chart. */
function useLast<T>(value: T | undefined): T | undefined {
  const [last, keep] = useState(value);
  if (value !== undefined && value !== last) keep(value);
  return value ?? last;
}
