import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RemoteError } from "../errors.ts";
import { createPinnedScript, isIntegrity } from "./integrity.ts";
import { createFederation, registerRemote, type Remotes } from "./registerRemote.ts";

const HASH = `sha384-${"A".repeat(64)}`;

/** Serve containers: a script that is put into the page "runs" by setting its global. */
function serve(containers: Record<string, () => unknown>) {
  const scripts: HTMLScriptElement[] = [];
  const append = (node: Node) => {
    const script = node as HTMLScriptElement;
    scripts.push(script);
    const make = containers[new URL(script.src).pathname];
    setTimeout(() => {
      if (make !== undefined) Object.assign(globalThis, { plugin_demo: make() });
      script.dispatchEvent(new Event(make === undefined ? "error" : "load"));
    });
    return node;
  };
  vi.spyOn(document.head, "appendChild").mockImplementation(append);
  return scripts;
}

/** A container as webpack makes it. */
function container(modules: Record<string, unknown>) {
  return () => ({
    init: () => undefined,
    get(name: string) {
      if (!(name in modules)) throw new Error(`Module "${name}" does not exist in container.`);
      return Promise.resolve(() => modules[name]);
    },
  });
}

let remotes: Remotes;

beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  remotes = createFederation({ shared: { react: { version: "18.3.1", lib: () => ({}) } } });
});
afterEach(() => Reflect.deleteProperty(globalThis, "plugin_demo"));

function refFor(version: number, integrity?: string) {
  const url = `/mf/demo/${String(version)}/remoteEntry.js`;
  return { id: "demo", url, contributions: ["panel"] as const, integrity };
}

describe("registerRemote", () => {
  it("loads what the remote contributes, by a pinned script", async () => {
    const scripts = serve({ "/mf/demo/1/remoteEntry.js": container({ "./Panel": { panel: 1 } }) });
    const remote = await registerRemote(refFor(1, HASH));
    expect(await remote.load("Panel")).toMatchObject({ panel: 1 });
    expect(scripts).toHaveLength(1);
    expect(scripts[0]).toMatchObject({ integrity: HASH, crossOrigin: "anonymous" });
    remote.dispose();
  });

  it("takes a new address of the same plugin for a new version, and the old one again", async () => {
    serve({
      "/mf/demo/1/remoteEntry.js": container({ "./Panel": { version: 1 } }),
      "/mf/demo/2/remoteEntry.js": container({ "./Panel": { version: 2 } }),
    });
    const seen: unknown[] = [];
    for (const version of [1, 2, 1]) {
      const remote = await registerRemote(refFor(version));
      seen.push(await remote.load("Panel"));
      remote.dispose();
    }
    expect(seen).toMatchObject([{ version: 1 }, { version: 2 }, { version: 1 }]);
  });

  it("leaves nothing on the page after dispose", async () => {
    serve({ "/mf/demo/1/remoteEntry.js": container({ "./Panel": {} }) });
    const remote = await registerRemote(refFor(1));
    remote.dispose();
    expect("plugin_demo" in globalThis).toBe(false);
    await expect(remote.load("Panel")).rejects.toMatchObject({ name: "RemoteError" });
  });

  it("ends an old remote with its successor, whose place its dispose does not touch", async () => {
    serve({
      "/mf/demo/1/remoteEntry.js": container({ "./Panel": { version: 1 } }),
      "/mf/demo/2/remoteEntry.js": container({ "./Panel": { version: 2 } }),
    });
    const first = await registerRemote(refFor(1));
    const second = await registerRemote(refFor(2));
    await expect(first.load("Panel")).rejects.toMatchObject({ name: "RemoteError" });
    first.dispose();
    expect(await second.load("Panel")).toMatchObject({ version: 2 });
    second.dispose();
  });

  it("does not let a version that arrives late stand in for its successor", async () => {
    serve({
      "/mf/demo/1/remoteEntry.js": container({ "./Panel": { version: 1 } }),
      "/mf/demo/2/remoteEntry.js": container({ "./Panel": { version: 2 } }),
    });
    const first = remotes.register(refFor(1));
    const late = first.load("Panel").catch(() => undefined);
    await Promise.resolve();
    first.dispose();
    const second = remotes.register(refFor(2));
    await late;
    expect(await second.load("Panel")).toMatchObject({ version: 2 });
    second.dispose();
  });

  it("does not take what lies on the page for the remote", async () => {
    serve({ "/mf/demo/1/remoteEntry.js": container({ "./Panel": { version: 1 } }) });
    Object.assign(globalThis, { plugin_demo: container({ "./Panel": { version: 0 } })() });
    const remote = await registerRemote(refFor(1));
    expect(await remote.load("Panel")).toMatchObject({ version: 1 });
    remote.dispose();
  });

  it.each([
    ["unreachable", {}],
    ["wrong-container", { "/mf/demo/1/remoteEntry.js": () => undefined }],
    ["missing-module", { "/mf/demo/1/remoteEntry.js": container({}) }],
  ])("says that a remote is %s", async (kind, containers) => {
    serve(containers);
    const error = await registerRemote(refFor(1)).catch((reason: unknown) => reason as RemoteError);
    expect(error).toMatchObject({ name: "RemoteError", kind, pluginId: "demo" });
  });

  it("can load after a failure", async () => {
    const containers: Record<string, () => unknown> = {};
    serve(containers);
    const remote = remotes.register(refFor(1));
    await expect(remote.load("Panel")).rejects.toMatchObject({ kind: "unreachable" });
    containers["/mf/demo/1/remoteEntry.js"] = container({ "./Panel": { here: true } });
    expect(await remote.load("Panel")).toMatchObject({ here: true });
    remote.dispose();
  });

  it.each(["", "sha1-abc", "sha384", "sha384-a b", "md5-x"])(
    "refuses %j as a hash, since a browser would ignore it and run anything",
    (integrity) => {
      expect(() => remotes.register(refFor(1, integrity))).toThrow("refused");
    },
  );
});

describe("a pinned script", () => {
  it("asks for the bytes that were announced", () => {
    const script = createPinnedScript("https://core.test/a.js", HASH);
    expect(script.integrity).toBe(HASH);
    expect(script.src).toBe("https://core.test/a.js");
    expect(createPinnedScript("https://core.test/a.js", undefined).integrity).toBeFalsy();
  });

  it("knows the hashes that browsers honour", () => {
    expect(isIntegrity(HASH)).toBe(true);
    expect(isIntegrity("sha512-abc+/==")).toBe(true);
    expect(isIntegrity("sha224-abc")).toBe(false);
  });
});
