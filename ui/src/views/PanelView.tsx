import type { PanelContext } from "@mosaiclife/plugin-sdk";
import type { QueryResult } from "@mosaiclife/plugin-sdk/react";
import { useId, useMemo } from "react";
import { Announcer } from "../components/Announcer";
import { EmptyState } from "../components/EmptyState";
import { ErrorState } from "../components/ErrorState";
import { Metric } from "../components/Metric";
import { NextStep } from "../components/NextStep";
import { Skeleton } from "../components/Skeleton";
import { Sparkline } from "../components/Sparkline";
import { Title } from "../components/Title";
import { copy } from "../copy";
import {
  countsOf,
  overviewPath,
  sizeOf,
  type Counts,
  type Overview,
  type Report,
} from "../data/overview";
import { pointsOf } from "../data/series";
import { useLegacyName } from "../data/useLegacyName";
import { useReport } from "../data/useReport";
import { createFormat, type Format } from "../format";
import { pageHref, testId } from "../identity";
import { countOf } from "../summary";

/** The card: what has gathered around one legacy, and the year behind it. */
export function PanelView({ ctx }: { ctx: PanelContext }) {
  const { sdk, legacyId, locale, timezone } = ctx;
  const heading = useId();
  const format = useMemo(() => createFormat(locale, timezone), [locale, timezone]);
  const name = useLegacyName(sdk, legacyId, ctx.legacyName);
  const report = useReport<Report<Overview>>(sdk, overviewPath(legacyId, timezone), legacyId);
  return (
    <section
      className="surface card"
      lang={copy.language}
      aria-labelledby={heading}
      data-testid={testId("panel")}
    >
      <Title as="h2" id={heading} name={name} />
      <Body report={report} format={format} />
      <a className="more" href={pageHref(legacyId)}>
        {copy.seeMore}
      </a>
    </section>
  );
}

function Body({ report, format }: { report: QueryResult<Report<Overview>>; format: Format }) {
  const { data, error, refresh } = report;
  if (data === undefined) {
    if (error) return <ErrorState error={error} onRetry={refresh} />;
    return <Skeleton shapes={["number", "chart", "text"]} />;
  }
  return (
    <>
      <Gathered overview={data.data} format={format} />
      {error && <ErrorState error={error} onRetry={refresh} stale />}
    </>
  );
}

function Gathered({ overview, format }: { overview: Overview; format: Format }) {
  const counts = countsOf(overview);
  if (sizeOf(counts) === 0) return <EmptyState text={copy.empty} />;
  const { metric, interval, buckets } = overview.sparkline;
  return (
    <>
      <dl className="told">
        <Metric metric="stories" value={counts.stories} format={format} size="large" />
        <Metric metric="storytellers" value={counts.storytellers} format={format} size="large" />
      </dl>
      <Sparkline series={{ metric, interval, points: pointsOf(buckets) }} format={format} />
      <Left counts={counts} format={format} />
      <NextStep counts={counts} />
      <Announcer text={copy.now(countOf("stories", counts.stories, format))} />
    </>
  );
}

const LEFT = ["candles", "hearts", "smiles"] as const;

/** The small signs that people left; none is shown where there is none of any. */
function Left({ counts, format }: { counts: Counts; format: Format }) {
  if (LEFT.every((metric) => counts[metric] === 0)) return null;
  return (
    <dl className="left">
      {LEFT.map((metric) => (
        <Metric key={metric} metric={metric} value={counts[metric]} format={format} size="small" />
      ))}
    </dl>
  );
}
