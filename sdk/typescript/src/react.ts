/** The SDK in React: `SdkProvider` by the host, `useSdk` and `useQuery` in the plugin. */
import { createContext, createElement, useContext, useMemo, useSyncExternalStore } from "react";
import type { Context, ReactElement, ReactNode } from "react";
import type { Query, QueryCache, Snapshot } from "./cache.ts";
import type { PageContext, SDK } from "./types.ts";

export type SdkValue = PageContext & { sdk: SDK };

const KEY = Symbol.for("@mosaiclife/plugin-sdk/react");

/** Host and remote bundle this module apart but share React, so they meet on the page's one context. */
function pageContext(): Context<SdkValue | null> {
  const page = globalThis as { [KEY]?: Context<SdkValue | null> | undefined };
  return (page[KEY] ??= createContext<SdkValue | null>(null));
}

export interface SdkProviderProps {
  sdk: SDK;
  context: PageContext;
  children?: ReactNode;
}

/** Give the pages below the SDK of their plugin. */
export function SdkProvider({ sdk, context, children }: SdkProviderProps): ReactElement {
  const value = useMemo(() => ({ ...context, sdk }), [context, sdk]);
  return createElement(pageContext().Provider, { value }, children);
}

/** Return the SDK and the page's context. */
export function useSdk(): SdkValue {
  const value = useContext(pageContext());
  if (value === null) throw new Error("useSdk needs an SdkProvider above it");
  return value;
}

/** What is known of a path, and a way to ask again. */
export type QueryResult<T> = Snapshot<T> & { readonly refresh: () => void };

const NOTHING: Snapshot<never> = {
  data: undefined,
  error: undefined,
  fetching: true,
  updatedAt: undefined,
};

/** Read *path* while the component stands: the last value at once, the newest when it is here. */
export function useQuery<T>(cache: QueryCache, path: string): QueryResult<T> {
  const reader = useMemo(() => createReader<T>(cache, path), [cache, path]);
  const snapshot = useSyncExternalStore(reader.subscribe, reader.snapshot);
  return useMemo(() => ({ ...snapshot, refresh: reader.refresh }), [snapshot, reader]);
}

/** A query in the form that React subscribes to; it is held while somebody subscribes. */
function createReader<T>(cache: QueryCache, path: string) {
  let query: Query<T> | undefined;
  return {
    subscribe: (onChange: () => void) => {
      const held = cache.query<T>(path, { onChange });
      query = held;
      return () => held.dispose();
    },
    snapshot: () => query?.snapshot ?? NOTHING,
    refresh: () => void query?.refresh(),
  };
}
