import { useId } from "react";
import { Announcer } from "../components/Announcer";
import { Metric } from "../components/Metric";
import { NextStep } from "../components/NextStep";
import { copy } from "../copy";
import { METRICS, type Counts, type ReportMeta } from "../data/overview";
import type { Format } from "../format";
import { countOf } from "../summary";

export interface GatheredProps {
  counts: Counts;
  freshness: ReportMeta["freshness"];
  format: Format;
}

/** What has gathered: every number, and up to when it was counted. */
export function Gathered({ counts, freshness, format }: GatheredProps) {
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <h2 id={heading}>{copy.gathered}</h2>
      <dl className="cards">
        {METRICS.map((metric) => (
          <Metric
            key={metric}
            metric={metric}
            value={counts[metric]}
            format={format}
            size="large"
            explained
          />
        ))}
      </dl>
      <NextStep counts={counts} />
      <p className="note">{freshnessText(freshness, format)}</p>
      <Announcer text={copy.now(countOf("stories", counts.stories, format))} />
    </section>
  );
}

function freshnessText({ watermark, dirtyDays }: GatheredProps["freshness"], format: Format) {
  const upTo = watermark && copy.countedUpTo(format.moment(watermark));
  return [upTo, dirtyDays > 0 && copy.catchingUp].filter(Boolean).join(" ");
}
