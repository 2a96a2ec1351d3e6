/** The life of a contribution in React. */
import type { Lifecycle } from "@mosaiclife/plugin-sdk/host";
import { useCallback, useEffect, useState } from "react";

export interface Brought<T> {
  value: T | undefined;
  failed: boolean;
  retry: () => void;
}

/** Load what *lifecycle* stands for, and load it again on request. */
export function useLifecycle<T>(lifecycle: Lifecycle<T> | undefined): Brought<T> {
  const [attempt, setAttempt] = useState(0);
  const [brought, setBrought] = useState<Outcome<T>>();
  useEffect(() => {
    if (lifecycle === undefined) return undefined;
    let over = false;
    const settle = (outcome: Outcome<T>) => {
      if (!over) setBrought(outcome);
    };
    lifecycle.ready().then(
      (value) => settle({ of: lifecycle, value: { is: value } }),
      () => settle({ of: lifecycle }),
    );
    return () => {
      over = true;
    };
  }, [lifecycle, attempt]);
  const retry = useCallback(() => {
    setBrought(undefined);
    setAttempt((count) => count + 1);
  }, []);
  const current = brought?.of === lifecycle ? brought : undefined;
  const failed = current !== undefined && current.value === undefined;
  return { value: current?.value?.is, failed, retry };
}

/** Boxed, because a component handed to a state setter would be called. */
interface Outcome<T> {
  of: Lifecycle<T>;
  value?: { is: T };
}
