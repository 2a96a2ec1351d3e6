/** The router in React. */
import { useEffect, useRef, useSyncExternalStore, type RefObject } from "react";
import type { Router } from "./router";

/** Return the current path, and follow it. */
export function usePath(router: Router): string {
  return useSyncExternalStore(router.subscribe, () => router.path);
}

/**
 * Put the focus where the new page begins. A browser does it when it loads a page;
 * when only the content changes, people who listen to the page would hear nothing.
 */
export function useArrival<T extends HTMLElement>(path: string): RefObject<T> {
  const start = useRef<T>(null);
  const left = useRef(path);
  useEffect(() => {
    if (left.current === path) return;
    left.current = path;
    start.current?.focus({ preventScroll: true });
  }, [path]);
  return start;
}
