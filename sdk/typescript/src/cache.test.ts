import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createQueryCache, type Conditional, type Load } from "./cache.ts";
import { SdkHttpError } from "./errors.ts";

interface Call {
  path: string;
  etag: string | undefined;
  signal: AbortSignal;
  answer: (body: unknown, etag?: string) => void;
  unchanged: () => void;
  fail: (error: unknown) => void;
}

/** A server whose answers the test gives, one by one. */
function manualServer() {
  const calls: Call[] = [];
  const load: Load = (path, { etag, signal }) =>
    new Promise<Conditional<unknown>>((resolve, reject) => {
      calls.push({
        path,
        etag,
        signal,
        answer: (body, tag) => resolve({ modified: true, body, etag: tag }),
        unchanged: () => resolve({ modified: false }),
        fail: reject,
      });
    });
  const call = (index: number): Call => {
    const found = calls[index];
    if (found === undefined) throw new Error(`there was no request ${String(index)}`);
    return found;
  };
  return { load, calls, call };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const resting = (retryAfter?: number) =>
  new SdkHttpError({ status: 503, code: "SERVICE_UNAVAILABLE", message: "resting", retryAfter });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a query", () => {
  it("asks at once and shows the answer", async () => {
    const { load, call } = manualServer();
    const onChange = vi.fn();
    const query = createQueryCache(load).query<string>("/a", { onChange });
    expect(query.snapshot).toMatchObject({ data: undefined, fetching: true });
    await settle();
    call(0).answer("one");
    await settle();
    expect(query.snapshot).toMatchObject({ data: "one", fetching: false, error: undefined });
    expect(onChange).toHaveBeenCalled();
  });

  it("does not call back before the caller holds it", () => {
    const { load } = manualServer();
    const onChange = vi.fn();
    createQueryCache(load).query("/a", { onChange });
    expect(onChange).not.toHaveBeenCalled();
  });

  it("gives the last value at once while the newest is fetched", async () => {
    const { load, call, calls } = manualServer();
    const cache = createQueryCache(load);
    const first = cache.query("/a");
    await settle();
    call(0).answer("one", '"1"');
    await settle();
    first.dispose();
    const second = cache.query("/a");
    expect(second.snapshot).toMatchObject({ data: "one", fetching: true });
    await settle();
    expect(calls).toHaveLength(2);
    expect(call(1).etag).toBe('"1"');
    call(1).unchanged();
    await settle();
    expect(second.snapshot).toMatchObject({ data: "one", fetching: false });
  });

  it("needs no request while the value is fresh enough", async () => {
    const { load, call, calls } = manualServer();
    const cache = createQueryCache(load);
    cache.query("/a");
    await settle();
    call(0).answer("one");
    await settle();
    cache.query("/a", { freshFor: 1000 });
    await settle();
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    cache.query("/a", { freshFor: 1000 });
    await settle();
    expect(calls).toHaveLength(2);
  });

  it("keeps the identity of a snapshot that says the same", async () => {
    const { load, call } = manualServer();
    const query = createQueryCache(load).query("/a");
    await settle();
    call(0).answer("one");
    await settle();
    expect(query.snapshot).toBe(query.snapshot);
  });
});

describe("requests", () => {
  it("are shared by the readers of one path", async () => {
    const { load, calls } = manualServer();
    const cache = createQueryCache(load);
    cache.query("/a");
    cache.query("/a");
    cache.query("/b");
    await settle();
    expect(calls.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  it("are joined by a refresh in the same turn", async () => {
    const { load, calls } = manualServer();
    const query = createQueryCache(load).query("/a");
    void query.refresh();
    void query.refresh();
    await settle();
    expect(calls).toHaveLength(1);
  });

  it("are followed by one more when refreshed under way, since they may be too old", async () => {
    const { load, call, calls } = manualServer();
    const query = createQueryCache(load).query<string>("/a");
    await settle();
    const refreshed = Promise.all([query.refresh(), query.refresh()]);
    call(0).answer("before");
    await settle();
    expect(calls).toHaveLength(2);
    call(1).answer("after");
    await refreshed;
    expect(query.snapshot.data).toBe("after");
    expect(calls).toHaveLength(2);
  });
});

describe("an error", () => {
  it("stands beside the last value until the next good answer", async () => {
    const { load, call } = manualServer();
    const query = createQueryCache(load).query<string>("/a");
    await settle();
    call(0).answer("one");
    await settle();
    void query.refresh();
    await settle();
    call(1).fail(new Error("broken"));
    await settle();
    expect(query.snapshot).toMatchObject({ data: "one", error: { message: "broken" } });
    void query.refresh();
    await settle();
    call(2).answer("two");
    await settle();
    expect(query.snapshot).toMatchObject({ data: "two", error: undefined });
  });

  it("heals by itself, no sooner than the server asked", async () => {
    const { load, call, calls } = manualServer();
    const query = createQueryCache(load).query<string>("/a");
    await settle();
    call(0).fail(resting(5));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    call(1).answer("well");
    await settle();
    expect(query.snapshot).toMatchObject({ data: "well", error: undefined });
  });

  it("is met with longer and longer pauses", async () => {
    const { load, call, calls } = manualServer();
    createQueryCache(load).query("/a");
    await settle();
    for (const [index, pause] of [1_000, 2_000, 4_000].entries()) {
      call(index).fail(resting());
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(calls).toHaveLength(index + 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(calls).toHaveLength(index + 2);
    }
  });

  it("that will not pass is not asked about again, nor one that nobody reads", async () => {
    const { load, call, calls } = manualServer();
    const cache = createQueryCache(load);
    cache.query("/a");
    const left = cache.query("/b");
    await settle();
    call(0).fail(new SdkHttpError({ status: 403, code: "NO", message: "" }));
    call(1).fail(resting());
    await settle();
    left.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toHaveLength(2);
  });
});

describe("the cache", () => {
  it("revalidates what is read, and only that, at once", async () => {
    const { load, call, calls } = manualServer();
    const cache = createQueryCache(load);
    cache.query("/a");
    const left = cache.query("/b");
    await settle();
    call(0).answer(1);
    call(1).answer(1);
    await settle();
    left.dispose();
    void cache.revalidate();
    await settle();
    expect(calls.map(({ path }) => path)).toEqual(["/a", "/b", "/a"]);
    cache.query("/b", { freshFor: 60_000 });
    await settle();
    expect(calls).toHaveLength(4);
  });

  it("tells a reader nothing after it let go", async () => {
    const { load, call } = manualServer();
    const onChange = vi.fn();
    const query = createQueryCache(load).query("/a", { onChange });
    await settle();
    query.dispose();
    call(0).answer(1);
    await settle();
    expect(onChange).not.toHaveBeenCalled();
  });

  it("keeps a bounded number of paths that nobody reads", async () => {
    const { load, calls } = manualServer();
    const cache = createQueryCache(load, { maxIdle: 1 });
    for (const path of ["/a", "/b", "/c"]) cache.query(path).dispose();
    await settle();
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  });

  it("aborts everything when it is cleared, and speaks no more", async () => {
    const { load, call } = manualServer();
    const onChange = vi.fn();
    const cache = createQueryCache(load);
    cache.query("/a", { onChange });
    await settle();
    cache.clear();
    expect(call(0).signal.aborted).toBe(true);
    call(0).fail(new DOMException("aborted", "AbortError"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onChange).not.toHaveBeenCalled();
  });
});
