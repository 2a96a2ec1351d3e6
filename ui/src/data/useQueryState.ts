import { useCallback, useSyncExternalStore } from "react";

/** Every reader of the address on this page; the browser tells only of its own back and forward. */
const readers = new Set<() => void>();

/** Keep one choice in the page's address, so that a link or a reload brings it back. */
export function useQueryState<T extends string>(
  key: string,
  options: readonly T[],
  fallback: T,
): [T, (value: T) => void] {
  const written = useSyncExternalStore(subscribe, () => query().get(key));
  const value = options.find((option) => option === written) ?? fallback;
  const set = useCallback(
    (next: T) => write(key, next === fallback ? null : next),
    [key, fallback],
  );
  return [value, set];
}

function query(): URLSearchParams {
  return new URLSearchParams(location.search);
}

function subscribe(onChange: () => void): () => void {
  readers.add(onChange);
  addEventListener("popstate", onChange);
  return () => {
    readers.delete(onChange);
    removeEventListener("popstate", onChange);
  };
}

/** Replace, never push: back leads to where the reader came from, and the host's state is kept. */
function write(key: string, value: string | null): void {
  const url = new URL(location.href);
  if (value === null) url.searchParams.delete(key);
  else url.searchParams.set(key, value);
  history.replaceState(history.state, "", url);
  for (const reader of readers) reader();
}
