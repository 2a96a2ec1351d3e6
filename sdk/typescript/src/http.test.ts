import { afterEach, describe, expect, it, vi } from "vitest";
import { SdkHttpError } from "./errors.ts";
import { createHttp, withQuery } from "./http.ts";

type Ask = Parameters<typeof fetch>;

/** A server that answers with *response* and notes what it was asked. */
function serverWith(response: () => Response) {
  const asked: Ask[] = [];
  const http = createHttp({
    base: "/api/plugins/demo/proxy",
    fetch: (...ask) => {
      asked.push(ask);
      return Promise.resolve(response());
    },
  });
  return { http, asked };
}

const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init);

async function failureOf(promise: Promise<unknown>): Promise<SdkHttpError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SdkHttpError) return error;
  throw new Error(`expected an SdkHttpError, got ${String(error)}`);
}

afterEach(() => vi.useRealTimers());

describe("a request", () => {
  it("goes below the base with its query untouched and resolves to the parsed body", async () => {
    const { http, asked } = serverWith(() => json({ data: [1], meta: { requestId: "r" } }));
    const body = await http.get<{ data: number[] }>("/v1/data/items?cursor=a%2Fb&limit=2");
    expect(body.data).toEqual([1]);
    expect(asked[0]?.[0]).toBe("/api/plugins/demo/proxy/v1/data/items?cursor=a%2Fb&limit=2");
  });

  it.each(["POST", "PUT", "PATCH", "DELETE"] as const)(
    "sends %s with a JSON body",
    async (method) => {
      const { http, asked } = serverWith(() => json({}));
      await http.request("/v1/jobs/run", { method, body: { job: "refresh" } });
      const init = asked[0]?.[1];
      expect(init?.method).toBe(method);
      expect(init?.body).toBe('{"job":"refresh"}');
      expect(new Headers(init?.headers).get("content-type")).toBe("application/json");
    },
  );

  it("resolves to undefined when success has no body", async () => {
    const { http } = serverWith(() => new Response(null, { status: 204 }));
    expect(await http.request("/v1/things/1", { method: "DELETE" })).toBeUndefined();
  });

  it.each([
    "v1/data",
    "//evil.example/v1",
    "https://evil.example/v1",
    "/v1/../../../session",
    "/v1/%2e%2e/x",
    "/v1/..%2f..%2fsession",
    "/v1\\..\\x",
    "/v1/data#top",
    "/v1/a b",
  ])("never leaves the plugin's own backend: %s", async (path) => {
    const { http, asked } = serverWith(() => json({}));
    await expect(http.get(path)).rejects.toThrow(TypeError);
    expect(asked).toEqual([]);
  });

  it("may carry dots and slashes in a query", async () => {
    const { http, asked } = serverWith(() => json({}));
    await http.get("/v1/data?next=/../x");
    expect(asked).toHaveLength(1);
  });
});

describe("a failure", () => {
  it("is read from the one error shape", async () => {
    const details = [{ field: "$.period", message: "unknown period" }];
    const error = { code: "VALIDATION_FAILED", message: "no", details, requestId: "req-1" };
    const { http } = serverWith(() => json({ error }, { status: 422 }));
    expect(await failureOf(http.get("/v1/x"))).toMatchObject({ status: 422, ...error });
  });

  it.each([
    "<html>bad gateway</html>",
    "",
    "null",
    '"text"',
    '{"error":7}',
    '{"error":{"code":1}}',
  ])("is the same kind of error when its body is %j", async (body) => {
    const headers = { "x-request-id": "req-9" };
    const { http } = serverWith(() => new Response(body, { status: 502, headers }));
    const error = await failureOf(http.get("/v1/x"));
    expect(error).toMatchObject({ status: 502, code: "HTTP_502", requestId: "req-9" });
    expect(error.details).toEqual([]);
    expect(error.transient).toBe(true);
  });

  it("is one when a success cannot be read", async () => {
    const { http } = serverWith(() => new Response("<html>", { status: 200 }));
    expect(await failureOf(http.get("/v1/x"))).toMatchObject({ code: "MALFORMED_RESPONSE" });
  });

  it.each([429, 503])("says how long to wait after %i", async (status) => {
    const headers = { "retry-after": "7" };
    const { http } = serverWith(() => json({}, { status, headers }));
    expect((await failureOf(http.get("/v1/x"))).retryAfter).toBe(7);
  });

  it("reads the dated form of Retry-After too", async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 0, 0) });
    const headers = { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" };
    const { http } = serverWith(() => json({}, { status: 503, headers }));
    expect((await failureOf(http.get("/v1/x"))).retryAfter).toBe(30);
  });

  it("tells an unreachable server from an answer", async () => {
    const http = createHttp({ base: "", fetch: () => Promise.reject(new TypeError("Failed")) });
    const error = await failureOf(http.get("/v1/x"));
    expect(error).toMatchObject({ status: 0, code: "UNREACHABLE", transient: true });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it("is known as SdkHttpError by another copy of the class", async () => {
    vi.resetModules();
    const other = await import("./errors.ts");
    expect(other.SdkHttpError).not.toBe(SdkHttpError);
    const error = new other.SdkHttpError({ status: 500, code: "INTERNAL", message: "" });
    expect(error).toBeInstanceOf(SdkHttpError);
    expect(new Error("other")).not.toBeInstanceOf(SdkHttpError);
  });
});

/** A server that never answers, but notices when nobody waits any more. */
const silent: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    const end = () => reject(new DOMException("aborted", "AbortError"));
    if (init?.signal?.aborted) end();
    init?.signal?.addEventListener("abort", end);
  });

describe("waiting", () => {
  it("ends after the request's own time", async () => {
    vi.useFakeTimers();
    const http = createHttp({ base: "", fetch: silent });
    const failure = failureOf(http.request("/v1/x", { timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await failure).toMatchObject({ code: "TIMEOUT", status: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends with the caller's own reason when the caller aborts", async () => {
    const http = createHttp({ base: "", fetch: silent });
    const controller = new AbortController();
    const answer = http.request("/v1/x", { signal: controller.signal });
    const reason = new Error("left the page");
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });

  it("does not begin when the caller has aborted before", async () => {
    const http = createHttp({ base: "", fetch: silent });
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(http.request("/v1/x", { signal })).rejects.toThrow("gone");
  });
});

describe("a conditional request", () => {
  const ask = { etag: '"1"', signal: new AbortController().signal };

  it("sends the tag and learns that nothing changed", async () => {
    const { http, asked } = serverWith(() => new Response(null, { status: 304 }));
    expect(await http.conditional("/v1/x", ask)).toEqual({ modified: false });
    expect(new Headers(asked[0]?.[1]?.headers).get("if-none-match")).toBe('"1"');
  });

  it("brings the body with its new tag", async () => {
    const { http } = serverWith(() => json({ data: 2 }, { headers: { etag: '"2"' } }));
    const answer = await http.conditional("/v1/x", ask);
    expect(answer).toEqual({ modified: true, body: { data: 2 }, etag: '"2"' });
  });
});

describe("withQuery", () => {
  it("encodes values, repeats lists and leaves empty ones out", () => {
    const path = withQuery("/v1/x", { a: "ö&=", b: undefined, c: null, d: ["1", "2"], e: 0 });
    expect(path).toBe("/v1/x?a=%C3%B6%26%3D&d=1&d=2&e=0");
  });

  it("continues a query and leaves a path without one alone", () => {
    expect(withQuery("/v1/x?a=1", { b: true })).toBe("/v1/x?a=1&b=true");
    expect(withQuery("/v1/x", {})).toBe("/v1/x");
  });
});
