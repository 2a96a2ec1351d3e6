/** Keep answers close: the last value at once, the newest as soon as it is here. */
import { SdkHttpError } from "./errors.ts";

/** What is known of one path. A new object whenever something changed, the same one otherwise. */
export interface Snapshot<T> {
  /** The last good body, kept while a newer one is fetched and when fetching fails. */
  readonly data: T | undefined;
  /** Why the last attempt failed; gone after the next good one. */
  readonly error: Error | undefined;
  readonly fetching: boolean;
  /** Milliseconds since the epoch at which `data` was last known to be true. */
  readonly updatedAt: number | undefined;
}

export interface QueryOptions {
  /** Called after each change of the snapshot. */
  onChange?: () => void;
  /** How old a value may be, in milliseconds, and still need no request. 0 asks every time. */
  freshFor?: number;
}

/** One reader's hold on one path. */
export interface Query<T> {
  readonly snapshot: Snapshot<T>;
  /** Ask now. Resolves when the answer is in the snapshot, and never rejects. */
  refresh(): Promise<void>;
  /** Let go. */
  dispose(): void;
}

export interface QueryCache {
  query<T>(path: string, options?: QueryOptions): Query<T>;
  /** Ask again for every path that somebody reads, and forget the freshness of the others. */
  revalidate(matches?: (path: string) => boolean): Promise<void>;
  /** Abort what is under way and forget everything. */
  clear(): void;
}

/** An answer to a conditional request: a body with its tag, or word that the old one still holds. */
export type Conditional<T> =
  | { readonly modified: true; readonly body: T; readonly etag: string | undefined }
  | { readonly modified: false };

export type Load = (
  path: string,
  ask: { etag: string | undefined; signal: AbortSignal },
) => Promise<Conditional<unknown>>;

export interface CacheOptions {
  now?: () => number;
  /** Paths that nobody reads are dropped, oldest first, beyond this number. */
  maxIdle?: number;
}

const EMPTY: Snapshot<never> = Object.freeze({
  data: undefined,
  error: undefined,
  fetching: false,
  updatedAt: undefined,
});

const LONGEST_PAUSE_MS = 30_000;

/** One path: its value, its readers and the one request that may be under way for it. */
class Entry {
  snapshot: Snapshot<unknown> = EMPTY;
  readonly readers = new Set<() => void>();
  private etag: string | undefined;
  private running: Promise<void> | undefined;
  private sent = false;
  private again = false;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly abort = new AbortController();

  constructor(
    private readonly path: string,
    private readonly load: Load,
    private readonly now: () => number,
  ) {}

  staleAfter(ms: number): boolean {
    const { updatedAt } = this.snapshot;
    return updatedAt === undefined || this.now() - updatedAt >= ms;
  }

  /** Join the request that is about to leave, or have another follow the one already sent. */
  refresh(): Promise<void> {
    if (this.running !== undefined) {
      this.again ||= this.sent;
      return this.running;
    }
    clearTimeout(this.retry);
    this.running = this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  outdate(): void {
    if (this.snapshot.updatedAt !== undefined) this.put({ updatedAt: -Infinity });
  }

  close(): void {
    clearTimeout(this.retry);
    this.readers.clear();
    this.abort.abort();
  }

  private async run(): Promise<void> {
    this.put({ fetching: true });
    do {
      this.again = this.sent = false;
      await Promise.resolve();
      this.sent = true;
      await this.once();
    } while (this.isWantedAgain());
    this.put({ fetching: false });
    this.planRetry();
  }

  private isWantedAgain(): boolean {
    return this.again && !this.abort.signal.aborted;
  }

  private async once(): Promise<void> {
    try {
      const { signal } = this.abort;
      const answer = await this.load(this.path, { etag: this.etag, signal });
      if (answer.modified) this.etag = answer.etag;
      const data = answer.modified ? answer.body : this.snapshot.data;
      this.failures = 0;
      this.put({ data, error: undefined, updatedAt: this.now() });
    } catch (cause) {
      this.failures += 1;
      this.put({ error: cause instanceof Error ? cause : new Error(String(cause)) });
    }
  }

  /** A page that is being read heals by itself: patiently, and no sooner than it was told. */
  private planRetry(): void {
    const { error } = this.snapshot;
    if (!(error instanceof SdkHttpError) || !error.transient || this.readers.size === 0) return;
    const pause = Math.min(1000 * 2 ** (this.failures - 1), LONGEST_PAUSE_MS);
    const asked = (error.retryAfter ?? 0) * 1000;
    this.retry = setTimeout(
      () => {
        if (this.readers.size > 0) void this.refresh();
      },
      Math.max(pause, asked),
    );
  }

  private put(change: Partial<Snapshot<unknown>>): void {
    if (this.abort.signal.aborted) return;
    this.snapshot = { ...this.snapshot, ...change };
    for (const reader of [...this.readers]) reader();
  }
}

/** Create a cache over *load*: stale-while-revalidate, ETag, one request per path at a time. */
export function createQueryCache(load: Load, options: CacheOptions = {}): QueryCache {
  const { now = Date.now, maxIdle = 50 } = options;
  const entries = new Map<string, Entry>();

  function entryFor(path: string): Entry {
    const entry = entries.get(path) ?? new Entry(path, load, now);
    entries.delete(path);
    entries.set(path, entry);
    return entry;
  }

  function dropIdle(): void {
    const idle = [...entries].filter(([, entry]) => entry.readers.size === 0);
    for (const [path, entry] of idle.slice(0, Math.max(0, idle.length - maxIdle))) {
      entry.close();
      entries.delete(path);
    }
  }

  function query<T>(path: string, { onChange, freshFor = 0 }: QueryOptions = {}): Query<T> {
    const entry = entryFor(path);
    const reader = () => onChange?.();
    // First ask, then listen: a reader hears nothing before it holds its query.
    if (entry.staleAfter(freshFor)) void entry.refresh();
    entry.readers.add(reader);
    return {
      get snapshot() {
        return entry.snapshot as Snapshot<T>;
      },
      refresh: () => entry.refresh(),
      dispose() {
        entry.readers.delete(reader);
        dropIdle();
      },
    };
  }

  async function revalidate(matches: (path: string) => boolean = () => true): Promise<void> {
    const chosen = [...entries].filter(([path]) => matches(path)).map(([, entry]) => entry);
    for (const entry of chosen) if (entry.readers.size === 0) entry.outdate();
    const read = chosen.filter((entry) => entry.readers.size > 0);
    await Promise.all(read.map((entry) => entry.refresh()));
  }

  function clear(): void {
    for (const entry of entries.values()) entry.close();
    entries.clear();
  }

  return { query, revalidate, clear };
}
