/** The life of one contribution: register → ready → dispose (spec §4). */

export type Phase = "registered" | "loading" | "ready" | "failed" | "disposed";

export interface Lifecycle<T> {
  readonly phase: Phase;
  /** There from ready until disposed. */
  readonly value: T | undefined;
  /** Load on first need; join a load under way; try again after a failure. */
  ready(): Promise<T>;
  /** End it for good, and call back everyone who asked for that. */
  dispose(): void;
  /** Call *handler* once at the end, or at once when the end has been. */
  onDispose(handler: () => void): () => void;
}

/** Register something that *load* can bring. */
export function createLifecycle<T>(load: () => Promise<T>, ended: () => Error): Lifecycle<T> {
  let phase: Phase = "registered";
  let value: T | undefined;
  let loading: Promise<T> | undefined;
  const handlers = new Set<() => void>();

  async function bring(): Promise<T> {
    phase = "loading";
    try {
      const loaded = await load();
      if (isOver()) throw ended();
      value = loaded;
      phase = "ready";
      return loaded;
    } catch (error) {
      if (!isOver()) phase = "failed";
      loading = undefined;
      throw error;
    }
  }

  // A function, because a test of `phase` itself would be taken for settled across an await.
  function isOver(): boolean {
    return phase === "disposed";
  }

  return {
    get phase() {
      return phase;
    },
    get value() {
      return value;
    },
    ready: () => (isOver() ? Promise.reject(ended()) : (loading ??= bring())),
    dispose() {
      if (isOver()) return;
      phase = "disposed";
      for (const handler of [...handlers]) handler();
      handlers.clear();
      value = undefined;
    },
    onDispose(handler) {
      if (isOver()) handler();
      else handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
}
