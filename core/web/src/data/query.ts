/** A cached answer in the form that React subscribes to. */
import type { Query, QueryCache, Snapshot } from "@mosaiclife/plugin-sdk";

export interface QueryStore<T> {
  subscribe: (onChange: () => void) => () => void;
  snapshot: () => Snapshot<T>;
  refresh: () => void;
}

const NOTHING: Snapshot<never> = {
  data: undefined,
  error: undefined,
  fetching: true,
  updatedAt: undefined,
};

/** Create a store that reads *path* while somebody subscribes. */
export function createQueryStore<T>(cache: QueryCache, path: string): QueryStore<T> {
  let query: Query<T> | undefined;
  return {
    subscribe(onChange) {
      const held = cache.query<T>(path, { onChange });
      query = held;
      return () => held.dispose();
    },
    snapshot: () => query?.snapshot ?? NOTHING,
    refresh: () => void query?.refresh(),
  };
}
