import type { Legacy } from "@mosaiclife/plugin-sdk";
import type { SdkValue } from "@mosaiclife/plugin-sdk/react";
import { useId, useMemo } from "react";
import { EmptyState } from "../components/EmptyState";
import { LegacyPicker } from "../components/LegacyPicker";
import { Title } from "../components/Title";
import { copy } from "../copy";
import { useQueryState } from "../data/useQueryState";
import { createFormat } from "../format";
import { testId } from "../identity";
import { LegacyReports } from "./LegacyReports";

/** The page: whose memory, and its reports. */
export function PageView({ page }: { page: SdkValue }) {
  const [first] = page.legacies;
  return (
    <article className="surface page" lang={copy.language} data-testid={testId("page")}>
      {first === undefined ? (
        <EmptyState text={copy.noLegacy} />
      ) : (
        <ChosenLegacy page={page} first={first} />
      )}
    </article>
  );
}

function ChosenLegacy({ page, first }: { page: SdkValue; first: Legacy }) {
  const { sdk, legacies, locale, timezone } = page;
  const heading = useId();
  const format = useMemo(() => createFormat(locale, timezone), [locale, timezone]);
  const ids = legacies.map(({ id }) => id);
  const [chosen, choose] = useQueryState("legacy", ids, first.id);
  const legacy = legacies.find(({ id }) => id === chosen) ?? first;
  return (
    <>
      <header className="head">
        <Title as="h1" id={heading} name={legacy.name} />
        <LegacyPicker legacies={legacies} value={legacy.id} onChange={choose} />
      </header>
      <LegacyReports
        key={legacy.id}
        sdk={sdk}
        legacyId={legacy.id}
        timezone={timezone}
        format={format}
      />
    </>
  );
}
