import type { SDK } from "@mosaiclife/plugin-sdk";
import { useQuery, type QueryResult } from "@mosaiclife/plugin-sdk/react";
import { useEffect } from "react";
import { pluginId } from "../identity";

/** What the backend publishes when its counts changed. */
export const COUNTS_CHANGED = `${pluginId}.rollup.refreshed`;

/** Read *path*: the last value at once, the newest as soon as it is here, again when counts change. */
export function useReport<T>(sdk: SDK, path: string, legacyId?: string): QueryResult<T> {
  const report = useQuery<T>(sdk.cache, path);
  const { refresh } = report;
  useEffect(() => onCountsChanged(sdk, legacyId, refresh), [sdk, legacyId, refresh]);
  useEffect(() => onReturn(refresh), [refresh]);
  return report;
}

interface Refreshed {
  /** Whose counts; all may have changed where this is missing. */
  legacyIds?: readonly string[];
}

function onCountsChanged(sdk: SDK, legacyId: string | undefined, refresh: () => void) {
  return sdk.events.subscribe(COUNTS_CHANGED, ({ legacyIds }: Refreshed) => {
    if (legacyId === undefined || (legacyIds?.includes(legacyId) ?? true)) refresh();
  });
}

/** A page that was away for a while may have missed something. */
function onReturn(refresh: () => void): () => void {
  const listen = () => {
    if (document.visibilityState === "visible") refresh();
  };
  document.addEventListener("visibilitychange", listen);
  return () => document.removeEventListener("visibilitychange", listen);
}
