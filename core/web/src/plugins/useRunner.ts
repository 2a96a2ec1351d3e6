import { useCallback, useState } from "react";
import type { Action } from "./actions";

export interface Runner {
  perform: (action: Action) => void;
  /** The title of the action that failed last, until the next one begins. */
  failed: string | undefined;
}

/** Do what was chosen, and remember when it failed. */
export function useRunner(): Runner {
  const [failed, setFailed] = useState<string>();
  const perform = useCallback(({ title, run }: Action) => {
    setFailed(undefined);
    // Called within the chain, so that a throw and a rejection end alike.
    Promise.resolve()
      .then(run)
      .catch((error: unknown) => {
        setFailed(title);
        console.error(error);
      });
  }, []);
  return { perform, failed };
}
