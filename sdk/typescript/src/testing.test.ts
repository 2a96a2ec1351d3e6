import { describe, expect, it } from "vitest";
import { createFakeSdk, inTurn, reply } from "./testing.ts";

describe("the fake SDK", () => {
  it("answers by path, by path without query, by method, and by function", async () => {
    const sdk = createFakeSdk({
      responses: {
        "/v1/a?x=1": { data: "exact" },
        "/v1/a": { data: "bare" },
        "POST /v1/a": reply(201, { data: "made" }),
        "/v1/b": ({ path }: { path: string }) => ({ data: path }),
      },
    });
    expect(await sdk.http.get("/v1/a?x=1")).toEqual({ data: "exact" });
    expect(await sdk.http.get("/v1/a?x=2")).toEqual({ data: "bare" });
    expect(await sdk.http.request("/v1/a", { method: "POST", body: { n: 1 } })).toEqual({
      data: "made",
    });
    expect(await sdk.http.get("/v1/b?q")).toEqual({ data: "/v1/b?q" });
    expect(sdk.requests[2]).toMatchObject({ method: "POST", path: "/v1/a", body: { n: 1 } });
  });

  it("fails as the real one does", async () => {
    const error = { code: "LEGACY_ACCESS_DENIED", message: "no", details: [] };
    const sdk = createFakeSdk({
      responses: { "/v1/no": reply(403, { error }), "/v1/odd": reply(200, "<html>") },
    });
    await expect(sdk.http.get("/v1/no")).rejects.toMatchObject({ status: 403, ...error });
    await expect(sdk.http.get("/v1/odd")).rejects.toMatchObject({ code: "MALFORMED_RESPONSE" });
    await expect(sdk.http.get("/v1/none")).rejects.toMatchObject({ status: 404 });
  });

  it("publishes to subscribers and counts them", () => {
    const sdk = createFakeSdk();
    const heard: unknown[] = [];
    const end = sdk.events.subscribe("t", (msg) => heard.push(msg));
    sdk.emit("t", { n: 1 });
    expect(sdk.subscriptions()).toBe(1);
    end();
    sdk.emit("t", { n: 2 });
    expect(heard).toEqual([{ n: 1 }]);
    expect(sdk.subscriptions()).toBe(0);
  });

  it("keeps what was registered and knows the names it was given", async () => {
    const sdk = createFakeSdk({ names: { a: "Astrid" } });
    sdk.ui.registerCommand({ id: "c", title: "C", run: () => undefined });
    expect(sdk.registered.commands).toHaveLength(1);
    expect(await sdk.names.resolve(["a", "b"])).toEqual({ a: "Astrid" });
  });

  it("gives answers in turn, and stays with the last", async () => {
    const busy = reply(503, { error: { code: "SERVICE_UNAVAILABLE", message: "later" } });
    const sdk = createFakeSdk({ responses: { "/v1/a": inTurn(busy, () => ({ data: 1 }), "x") } });
    await expect(sdk.http.get("/v1/a")).rejects.toMatchObject({ status: 503 });
    expect(await sdk.http.get("/v1/a")).toEqual({ data: 1 });
    sdk.respond("/v1/a", inTurn({ data: 2 }));
    expect(await sdk.http.get("/v1/a")).toEqual({ data: 2 });
    expect(await sdk.http.get("/v1/a")).toEqual({ data: 2 });
  });

  it("does what was registered, as a page would", async () => {
    const sdk = createFakeSdk();
    const done: unknown[] = [];
    const run = () => void done.push("command");
    sdk.ui.registerCommand({ id: "c", title: "C", run });
    sdk.ui.registerContextMenu({
      id: "m",
      title: "M",
      target: "story",
      run: ({ id }, context) => {
        done.push(id);
        context.sdk.ui.open(`/plugins/demo?story=${id}`);
      },
    });
    await sdk.choose("c");
    await sdk.choose("m", { kind: "story", id: "s1" });
    expect(done).toEqual(["command", "s1"]);
    expect(sdk.opened).toEqual(["/plugins/demo?story=s1"]);
    await expect(sdk.choose("m", { kind: "legacy", id: "l" })).rejects.toThrow("for legacy");
    await expect(sdk.choose("x")).rejects.toThrow("the palette");
  });

  it("has a real cache, whose answers a test can change", async () => {
    const sdk = createFakeSdk({ responses: { "/v1/a": { data: 1 } } });
    const query = sdk.cache.query("/v1/a");
    await query.refresh();
    sdk.respond("/v1/a", { data: 2 });
    await query.refresh();
    expect(query.snapshot.data).toEqual({ data: 2 });
  });
});
