import type { SDK } from "@mosaiclife/plugin-sdk";
import { EmptyState } from "../components/EmptyState";
import { ErrorState } from "../components/ErrorState";
import { Skeleton } from "../components/Skeleton";
import { copy } from "../copy";
import { countsOf, overviewPath, sizeOf, type Overview, type Report } from "../data/overview";
import { useReport } from "../data/useReport";
import type { Format } from "../format";
import { Gathered } from "./Gathered";
import { Rhythm } from "./Rhythm";

export interface LegacyReportsProps {
  sdk: SDK;
  legacyId: string;
  timezone: string | undefined;
  format: Format;
}

/** With so few things there is nothing to choose from yet. */
const FEW = 5;

/** Everything the page tells about one legacy. */
export function LegacyReports(props: LegacyReportsProps) {
  const { sdk, legacyId, timezone, format } = props;
  const path = overviewPath(legacyId, timezone);
  const { data, error, refresh } = useReport<Report<Overview>>(sdk, path, legacyId);
  if (data === undefined) {
    if (error) return <ErrorState error={error} onRetry={refresh} />;
    return <Skeleton shapes={["number", "chart", "text"]} />;
  }
  const counts = countsOf(data.data);
  const size = sizeOf(counts);
  if (size === 0) return <EmptyState text={copy.empty} />;
  return (
    <>
      {error && <ErrorState error={error} onRetry={refresh} stale />}
      <Gathered counts={counts} freshness={data.meta.freshness} format={format} />
      <Rhythm {...props} simple={size <= FEW} />
    </>
  );
}
