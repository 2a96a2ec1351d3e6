/** Load remotes by Module Federation, and unload them again (spec §7.2). */
import { createInstance, type ModuleFederation } from "@module-federation/runtime";
import { containerName } from "./contributions.ts";
import { explain, failure, type FailedLoad } from "./failures.ts";
import { createPinnedScript, isIntegrity } from "./integrity.ts";

export type ContributionKind = "panel" | "routes";

/** A remote as core announces it (spec §7.2). */
export interface RemoteRef {
  id: string;
  url: string;
  contributions: readonly ContributionKind[];
  /** `sha384-…` of the entry; it carries the hashes of everything after it. */
  integrity?: string | undefined;
}

export type ModuleExports = Readonly<Record<string, unknown>>;

/** A registered remote. Nothing is fetched before something is loaded. */
export interface Remote {
  readonly id: string;
  /** Load an exposed module by its name without `./`; reject with `RemoteError`. */
  load(module: string): Promise<ModuleExports>;
  /** Forget the remote, so that another version can take its place. */
  dispose(): void;
}

/** Where remotes are registered; tests put their own in its place. */
export interface Remotes {
  register(ref: RemoteRef): Remote;
}

/** A library that the page shares with its remotes. */
export interface SharedLibrary {
  /**
   * From the library's package.json: `ReactDOM.version` is `18.3.1-next-…` in React 18.3.1,
   * which satisfies no range.
   */
  version: string;
  lib: () => unknown;
}

export interface FederationOptions {
  name?: string;
  shared: Readonly<Record<string, SharedLibrary>>;
}

const LOAD_TIMEOUT_MS = 20_000;
const MODULES: Readonly<Record<ContributionKind, string>> = { panel: "Panel", routes: "Routes" };

let page: Remotes | undefined;

/** Set up the page's federation with what it shares; `registerRemote` works from then on. */
export function createFederation(options: FederationOptions): Remotes {
  page = new Federation(options);
  return page;
}

/** Register a remote and load what it contributes (spec §7.2). */
export async function registerRemote(ref: RemoteRef): Promise<Remote> {
  if (page === undefined) throw new Error("call createFederation before registerRemote");
  const remote = page.register(ref);
  try {
    await Promise.all(ref.contributions.map((kind) => remote.load(MODULES[kind])));
  } catch (error) {
    remote.dispose();
    throw error;
  }
  return remote;
}

class Federation implements Remotes {
  private readonly runtime: ModuleFederation;
  private readonly pins = new Map<string, string | undefined>();
  /** The runtime's name of each container's current remote. */
  private readonly current = new Map<string, string>();
  private registrations = 0;

  constructor({ name = "mosaic_core", shared }: FederationOptions) {
    this.runtime = createInstance({
      name,
      remotes: [],
      shared: Object.fromEntries(Object.entries(shared).map(shareExactly)),
      plugins: [
        {
          name: "integrity",
          createScript: ({ url, remoteInfo }) => ({
            script: this.createScript(url, remoteInfo?.entryGlobalName ?? ""),
            timeout: LOAD_TIMEOUT_MS,
          }),
        },
      ],
    });
  }

  /**
   * Each registration has a name of its own in the runtime. Under one name for all versions, a
   * load that is under way when its remote is forced out puts the old version back.
   */
  register(ref: RemoteRef): Remote {
    const url = new URL(ref.url, document.baseURI).href;
    if (ref.integrity !== undefined && !isIntegrity(ref.integrity)) {
      throw failure(describe(ref, url, "", []), "integrity");
    }
    const container = containerName(ref.id);
    const name = `${container}@${String((this.registrations += 1))}`;
    this.forget(this.current.get(container));
    // The runtime takes a container that is there already for the one it is about to load.
    Reflect.deleteProperty(globalThis, container);
    this.current.set(container, name);
    this.pins.set(url, ref.integrity);
    this.runtime.registerRemotes([{ name, entry: url, entryGlobalName: container }]);
    return {
      id: ref.id,
      load: (module) => this.load(name, ref, url, module),
      dispose: () => this.forget(name),
    };
  }

  /** A script that arrives after its remote was unloaded takes its container back at once. */
  private createScript(url: string, container: string): HTMLScriptElement {
    const script = createPinnedScript(url, this.pins.get(url));
    script.addEventListener("load", () => {
      if (!this.pins.has(url)) Reflect.deleteProperty(globalThis, container);
    });
    return script;
  }

  private async load(
    name: string,
    ref: RemoteRef,
    url: string,
    module: string,
  ): Promise<ModuleExports> {
    const refused = watchRefusals();
    try {
      const exports = await this.runtime.loadRemote(`${name}/${module}`);
      if (exports === null) throw new Error("RUNTIME-014: the module is empty");
      return exports as ModuleExports;
    } catch (cause) {
      throw await explain(describe(ref, url, module, refused.addresses), cause);
    } finally {
      refused.stop();
    }
  }

  private forget(name: string | undefined): void {
    const remote = this.runtime.options.remotes.find((one) => one.name === name);
    if (remote === undefined) return;
    unregister(this.runtime, remote);
    if ("entry" in remote) this.pins.delete(remote.entry);
  }
}

/** The runtime has no public way to unregister; this is the one that its own `force` takes. */
function unregister(runtime: ModuleFederation, remote: object): void {
  const handler = runtime.remoteHandler as unknown as { removeRemote(remote: object): void };
  handler.removeRemote(remote);
}

function shareExactly([key, { version, lib }]: [string, SharedLibrary]) {
  const shareConfig = { singleton: true, requiredVersion: version, strictVersion: false };
  return [key, { version, lib, shareConfig }] as const;
}

function describe(
  { id, integrity }: RemoteRef,
  url: string,
  module: string,
  refused: readonly string[],
): FailedLoad {
  return { pluginId: id, url, integrity, module, refused };
}

/** Note what the content security policy refuses: a script element says "error" and no more. */
function watchRefusals(): { addresses: string[]; stop: () => void } {
  const addresses: string[] = [];
  const note = (event: SecurityPolicyViolationEvent) => void addresses.push(event.blockedURI);
  document.addEventListener("securitypolicyviolation", note);
  return {
    addresses,
    stop: () => document.removeEventListener("securitypolicyviolation", note),
  };
}
