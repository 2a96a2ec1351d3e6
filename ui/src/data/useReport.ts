import type { Query, QueryCache, SDK, Snapshot } from "@mosaiclife/plugin-sdk";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { pluginId } from "../identity";

/** What the backend publishes when its counts changed. */
export const COUNTS_CHANGED = `${pluginId}.rollup.refreshed`;

/** A report as the cache knows it, and a way to ask again. */
export type Live<T> = Snapshot<T> & { refresh: () => void };

const NOTHING: Snapshot<never> = {
  data: undefined,
  error: undefined,
  fetching: true,
  updatedAt: undefined,
};

/** Read *path*: the last value at once, the newest as soon as it is here, again when counts change. */
export function useReport<T>(sdk: SDK, path: string, legacyId?: string): Live<T> {
  const reader = useMemo(() => createReader<T>(sdk.cache, path), [sdk, path]);
  const snapshot = useSyncExternalStore(reader.subscribe, reader.read);
  useEffect(() => onCountsChanged(sdk, legacyId, reader.refresh), [sdk, legacyId, reader]);
  useEffect(() => onReturn(reader.refresh), [reader]);
  return useMemo(() => ({ ...snapshot, refresh: reader.refresh }), [snapshot, reader]);
}

function createReader<T>(cache: QueryCache, path: string) {
  let query: Query<T> | undefined;
  return {
    subscribe: (onChange: () => void) => {
      const mine = cache.query<T>(path, { onChange });
      query = mine;
      return () => mine.dispose();
    },
    read: () => query?.snapshot ?? NOTHING,
    refresh: () => void query?.refresh(),
  };
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
