import { afterEach, describe, expect, it, vi } from "vitest";
import { RemoteError } from "../errors.ts";
import { explain, type FailedLoad } from "./failures.ts";

const URL_ = "https://core.test/mf/demo/1/remoteEntry.js";

function failed(change: Partial<FailedLoad> = {}): FailedLoad {
  const base = { pluginId: "demo", url: URL_, integrity: undefined, module: "Panel" };
  return { ...base, refused: [], ...change };
}

const cause = (message: string, name = "Error") => Object.assign(new Error(message), { name });
const UNREACHABLE = cause('RUNTIME-008 ScriptNetworkError: Failed to load script "…"');

afterEach(() => vi.unstubAllGlobals());

describe("a failed load is explained", () => {
  it.each([
    ["unreachable", UNREACHABLE],
    ["timeout", cause("RUNTIME-008 ScriptNetworkError: Script timed out.")],
    ["failed", cause("RUNTIME-008 ScriptExecutionError: loaded but threw")],
    ["wrong-container", cause("[ Federation Runtime ]: Failed to get remoteEntry #RUNTIME-001")],
    ["wrong-container", cause("The remote entry interface has no init #RUNTIME-002")],
    ["missing-module", cause('Module "./Panel" does not exist in container.')],
    ["missing-module", cause("#RUNTIME-014")],
    ["version", cause("Unsatisfied version 17.0.2 of shared singleton module react")],
    ["chunk", cause("Loading chunk 42 failed.", "ChunkLoadError")],
    ["failed", cause("anything else")],
    ["failed", "a thrown string"],
  ])("as %s", async (kind, reason) => {
    const error = await explain(failed(), reason);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ kind, pluginId: "demo", cause: reason });
    expect(error.message).toMatch(/^Could not load demo: .+\.$/);
  });

  it("as refused by the policy, whole address or origin", async () => {
    for (const address of [URL_, "https://core.test"]) {
      const error = await explain(failed({ refused: [address] }), UNREACHABLE);
      expect(error.kind).toBe("csp");
    }
    const other = await explain(failed({ refused: ["https://elsewhere.test"] }), UNREACHABLE);
    expect(other.kind).toBe("unreachable");
  });

  it("as not the announced file, when only the pinned request fails", async () => {
    const fetched = vi.fn((_url: string, init?: RequestInit) =>
      init?.integrity === undefined
        ? Promise.resolve(new Response("code"))
        : Promise.reject(new TypeError("Failed to fetch")),
    );
    vi.stubGlobal("fetch", fetched);
    const error = await explain(failed({ integrity: "sha384-abc" }), UNREACHABLE);
    expect(error.kind).toBe("integrity");
    expect(error.message).toContain("not the file that was announced");
  });

  it("as unreachable, when it is not there at all", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("", { status: 404 })));
    const error = await explain(failed({ integrity: "sha384-abc" }), UNREACHABLE);
    expect(error.kind).toBe("unreachable");
  });

  it("only once", async () => {
    const known = new RemoteError("demo", "unloaded", "gone");
    expect(await explain(failed(), known)).toBe(known);
  });
});
