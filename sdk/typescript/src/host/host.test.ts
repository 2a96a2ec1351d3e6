import { describe, expect, it, vi } from "vitest";
import type { Panel, PanelContext } from "../types.ts";
import { SDK_VERSION } from "../version.ts";
import { createPluginHost, type PluginHost } from "./host.ts";
import type { HostedPanel, HostedPlugin, PluginRecord } from "./plugins.ts";
import type { ModuleExports, RemoteRef, Remotes } from "./registerRemote.ts";

/** Remotes whose modules the test gives, with a diary of what happened. */
function fakeRemotes(modules: Record<string, Record<string, ModuleExports>>) {
  const diary: string[] = [];
  const refs: RemoteRef[] = [];
  const remotes: Remotes = {
    register(ref) {
      refs.push(ref);
      diary.push(`register ${ref.url}`);
      return {
        id: ref.id,
        load(name) {
          diary.push(`load ${name} of ${ref.url}`);
          const found = modules[ref.url]?.[name];
          return found ? Promise.resolve(found) : Promise.reject(new Error("away"));
        },
        dispose: () => void diary.push(`dispose ${ref.url}`),
      };
    },
  };
  return { remotes, diary, refs };
}

function textPanel(text: string, diary: string[] = []): Panel {
  let place: HTMLElement | undefined;
  return {
    id: "demo.panel",
    title: "Demo",
    mount(el, ctx) {
      place = el;
      el.textContent = `${text} ${ctx.legacyName ?? ""}`.trim();
      diary.push(`mount ${text}`);
    },
    unmount() {
      place?.replaceChildren();
      diary.push(`unmount ${text}`);
    },
  };
}

const Page = () => null;

function record(change: Partial<PluginRecord> = {}, entryUrl = "/mf/demo/1/remoteEntry.js") {
  return {
    id: "demo",
    title: "Demo",
    version: "1.0.0",
    state: "Ready",
    ui: {
      entryUrl,
      integrity: "sha384-abc",
      contributions: {
        panels: [{ id: "demo.panel", title: "Demo" }],
        routes: [{ path: "/demo", component: "Routes#Page" }],
      },
    },
    ...change,
  } satisfies PluginRecord;
}

function setUp() {
  const notes: string[] = [];
  const modules = {
    "/mf/demo/1/remoteEntry.js": { Panel: { panel: textPanel("one", notes) }, Routes: { Page } },
    "/mf/demo/2/remoteEntry.js": { Panel: { panel: textPanel("two", notes) }, Routes: { Page } },
  };
  const { remotes, diary, refs } = fakeRemotes(modules);
  const subscriptions = new Set<unknown>();
  const events = {
    subscribe(_topic: string, handler: unknown) {
      const hold = { handler };
      subscriptions.add(hold);
      return () => void subscriptions.delete(hold);
    },
  };
  const errors: unknown[] = [];
  const host = createPluginHost({
    remotes,
    page: { events, names: { resolve: () => Promise.resolve({}) } },
    onError: (error) => void errors.push(error),
  });
  return { host, diary, refs, notes, modules, subscriptions, errors };
}

function pluginOf(host: PluginHost): HostedPlugin {
  const [plugin] = host.plugins;
  if (plugin === undefined) throw new Error("there is no plugin");
  return plugin;
}

function panelOf(host: PluginHost): HostedPanel {
  const [panel] = pluginOf(host).panels;
  if (panel === undefined) throw new Error("there is no panel");
  return panel;
}

function contextOf(host: PluginHost): PanelContext {
  const { sdk } = pluginOf(host);
  if (sdk === undefined) throw new Error("nothing is loaded");
  return { sdk, tenantId: "t", locale: "en", legacyName: "Astrid" };
}

describe("reconciling", () => {
  it("registers what core lists, with its integrity, and loads nothing before it is needed", () => {
    const { host, diary, refs } = setUp();
    host.reconcile([record()]);
    expect(diary).toEqual(["register /mf/demo/1/remoteEntry.js"]);
    expect(refs[0]?.integrity).toBe("sha384-abc");
    expect(pluginOf(host)).toMatchObject({ id: "demo", state: "Ready", problems: [] });
    expect(panelOf(host).lifecycle.phase).toBe("registered");
  });

  it("leaves an unchanged plugin alone, and follows what is said of it", () => {
    const { host, diary } = setUp();
    host.reconcile([record()]);
    const before = pluginOf(host);
    host.reconcile([record({ state: "Degraded", reason: "store" })]);
    const after = pluginOf(host);
    expect(diary).toHaveLength(1);
    expect(after).toMatchObject({ state: "Degraded", reason: "store" });
    expect(after.generation).toBe(before.generation);
    expect(after.panels[0]).toBe(before.panels[0]);
  });

  it("unmounts and unloads the old version before the new one is registered", async () => {
    const { host, diary, notes } = setUp();
    host.reconcile([record()]);
    const el = document.createElement("div");
    await host.mountPanel(panelOf(host), el, contextOf(host)).shown;
    expect(el.textContent).toBe("one Astrid");
    const [first] = host.plugins;
    host.reconcile([record({ version: "1.1.0" }, "/mf/demo/2/remoteEntry.js")]);
    expect(el.textContent).toBe("");
    expect(diary).toEqual([
      "register /mf/demo/1/remoteEntry.js",
      "load Panel of /mf/demo/1/remoteEntry.js",
      "dispose /mf/demo/1/remoteEntry.js",
      "register /mf/demo/2/remoteEntry.js",
    ]);
    await host.mountPanel(panelOf(host), el, contextOf(host)).shown;
    expect(el.textContent).toBe("two Astrid");
    expect(pluginOf(host).generation).not.toBe(first?.generation);
    expect(notes).toEqual(["mount one", "unmount one", "mount two"]);
  });

  it("takes everything away when core throws the kill switch", async () => {
    const { host, diary, subscriptions } = setUp();
    host.reconcile([record()]);
    const el = document.createElement("div");
    await host.mountPanel(panelOf(host), el, contextOf(host)).shown;
    pluginOf(host).sdk?.events.subscribe("x", () => undefined);
    expect(subscriptions.size).toBe(1);
    host.reconcile([record({ state: "Disabled", ui: null })]);
    expect(pluginOf(host)).toMatchObject({ panels: [], routes: [], sdk: undefined });
    expect(el.textContent).toBe("");
    expect(subscriptions.size).toBe(0);
    expect(diary.at(-1)).toBe("dispose /mf/demo/1/remoteEntry.js");
  });

  it("loads it again when it is switched on, as a new generation", () => {
    const { host, diary } = setUp();
    host.reconcile([record()]);
    const { generation } = pluginOf(host);
    host.reconcile([record({ ui: null })]);
    host.reconcile([record()]);
    expect(diary.filter((line) => line.startsWith("register"))).toHaveLength(2);
    expect(pluginOf(host).generation).not.toBe(generation);
  });

  it("drops a plugin that core no longer knows, and keeps its neighbour", () => {
    const { host, diary } = setUp();
    const other = { ...record(), id: "other", ui: null };
    host.reconcile([record(), other]);
    host.reconcile([other]);
    expect(host.plugins.map(({ id }) => id)).toEqual(["other"]);
    expect(diary.at(-1)).toBe("dispose /mf/demo/1/remoteEntry.js");
  });

  it("says why a remote was refused, and goes on without it", () => {
    const remotes: Remotes = {
      register() {
        throw new Error("its hash is no hash");
      },
    };
    const page = { events: { subscribe: () => () => undefined }, names: { resolve: vi.fn() } };
    const host = createPluginHost({ remotes, page });
    host.reconcile([record()]);
    expect(pluginOf(host).problems).toEqual(["its hash is no hash"]);
    expect(pluginOf(host).generation).toBeUndefined();
  });

  it.each([
    [">=9.0", `frontend_sdk ${SDK_VERSION} does not satisfy >=9.0`],
    ["^1.2", '"^1.2" in "^1.2" is no comparator'],
  ])("refuses a remote for the SDK %s in words, and fetches nothing", (frontendSdk, words) => {
    const { host, diary } = setUp();
    const ui = { entryUrl: "/mf/demo/1/remoteEntry.js", contributions: {}, frontendSdk };
    host.reconcile([record({ ui })]);
    expect(pluginOf(host).problems[0]).toContain(words);
    expect(pluginOf(host).generation).toBeUndefined();
    expect(diary).toEqual([]);
    host.reconcile([record({ ui: { ...ui, frontendSdk: ">=1.2 <2.0" } })]);
    expect(pluginOf(host).problems).toEqual([]);
  });

  it("tells readers, and survives one that throws", () => {
    const { host, errors } = setUp();
    const reader = vi.fn();
    host.subscribe(() => {
      throw new Error("reader");
    });
    const end = host.subscribe(reader);
    host.reconcile([record()]);
    end();
    host.reconcile([]);
    expect(reader).toHaveBeenCalledTimes(1);
    expect(errors).toHaveLength(2);
  });
});

describe("a mounted panel", () => {
  it("is not shown when its place is gone before it arrives", async () => {
    const { host, notes } = setUp();
    host.reconcile([record()]);
    const mounted = host.mountPanel(panelOf(host), document.createElement("div"), contextOf(host));
    mounted.dispose();
    await mounted.shown;
    expect(notes).toEqual([]);
  });

  it("survives the double mount of a strict host", async () => {
    const { host, notes } = setUp();
    host.reconcile([record()]);
    const el = document.createElement("div");
    const first = host.mountPanel(panelOf(host), el, contextOf(host));
    first.dispose();
    const second = host.mountPanel(panelOf(host), el, contextOf(host));
    await Promise.all([first.shown, second.shown]);
    first.dispose();
    expect(el.textContent).toBe("one Astrid");
    second.dispose();
    second.dispose();
    expect(notes).toEqual(["mount one", "unmount one"]);
  });

  it("rejects when it cannot be loaded, and mounts at the next attempt", async () => {
    const { host, modules } = setUp();
    const whole = modules["/mf/demo/1/remoteEntry.js"];
    Reflect.deleteProperty(modules, "/mf/demo/1/remoteEntry.js");
    host.reconcile([record()]);
    const el = document.createElement("div");
    await expect(host.mountPanel(panelOf(host), el, contextOf(host)).shown).rejects.toThrow("away");
    modules["/mf/demo/1/remoteEntry.js"] = whole;
    await host.mountPanel(panelOf(host), el, contextOf(host)).shown;
    expect(el.textContent).toBe("one Astrid");
  });

  it("reports a panel that throws while it leaves, and unloads the plugin all the same", async () => {
    const { host, diary, errors, modules } = setUp();
    modules["/mf/demo/1/remoteEntry.js"].Panel.panel.unmount = () => {
      throw new Error("stuck");
    };
    host.reconcile([record()]);
    await host.mountPanel(panelOf(host), document.createElement("div"), contextOf(host)).shown;
    host.reconcile([]);
    expect(errors).toMatchObject([{ message: "stuck" }]);
    expect(diary.at(-1)).toBe("dispose /mf/demo/1/remoteEntry.js");
  });
});

const COMMANDS_UI = {
  entryUrl: "/mf/demo/1/remoteEntry.js",
  contributions: {
    commands: [{ id: "count", title: "Count", component: "Commands#count" }],
    contextMenus: [{ id: "see", title: "See", target: "story", component: "Commands#see" }],
  },
};

describe("declared commands and menus", () => {
  it("live from register over ready to dispose, and are fetched when they are chosen", async () => {
    const { host, diary, modules } = setUp();
    const count = vi.fn();
    Object.assign(modules["/mf/demo/1/remoteEntry.js"], { Commands: { count, see: 7 } });
    host.reconcile([record({ ui: COMMANDS_UI })]);
    const { commands, contextMenus } = pluginOf(host);
    const [command] = commands;
    const [menu] = contextMenus;
    expect(diary).toEqual(["register /mf/demo/1/remoteEntry.js"]);
    expect([command?.lifecycle.phase, menu?.target]).toEqual(["registered", "story"]);
    expect(await command?.lifecycle.ready()).toBe(count);
    await expect(menu?.lifecycle.ready()).rejects.toThrow("not a function");
    host.reconcile([record({ ui: null })]);
    expect(command?.lifecycle.phase).toBe("disposed");
    await expect(menu?.lifecycle.ready()).rejects.toThrow("unloaded");
  });
});

describe("opening a page", () => {
  it("is the page's own move, and leads nowhere else", () => {
    const open = vi.fn();
    const { remotes } = fakeRemotes({});
    const events = { subscribe: () => () => undefined };
    const host = createPluginHost({ remotes, page: { events, names: { resolve: vi.fn() }, open } });
    host.reconcile([record()]);
    const ui = pluginOf(host).sdk?.ui;
    ui?.open("/plugins/demo?x=1");
    expect(open).toHaveBeenCalledExactlyOnceWith("/plugins/demo?x=1");
    for (const bad of ["//elsewhere.test", "/\\elsewhere.test", "https://a.test", "javascript:1"]) {
      expect(() => ui?.open(bad)).toThrow(TypeError);
    }
  });
});

describe("what a plugin registers while it runs", () => {
  it("stands beside what its manifest declares, and ends with it", async () => {
    const { host } = setUp();
    host.reconcile([record()]);
    const ui = pluginOf(host).sdk?.ui;
    ui?.registerPanel({ ...textPanel("more"), id: "demo.more" });
    ui?.registerRoute({ path: "/demo/more", element: Page });
    ui?.registerCommand({ id: "c", title: "Command", run: () => undefined });
    ui?.registerContextMenu({ id: "m", title: "Menu", target: "legacy", run: () => undefined });
    const plugin = pluginOf(host);
    expect(plugin.panels.map(({ id }) => id)).toEqual(["demo.panel", "demo.more"]);
    expect(plugin.routes.map(({ path }) => path)).toEqual(["/demo", "/demo/more"]);
    expect(plugin.commands).toHaveLength(1);
    expect(plugin.contextMenus).toHaveLength(1);
    expect(await plugin.routes[1]?.lifecycle.ready()).toBe(Page);
    host.reconcile([record({ ui: null })]);
    expect(pluginOf(host)).toMatchObject({ panels: [], routes: [], commands: [] });
  });

  it("replaces a command of the same id, and leaves a declared panel in its place", () => {
    const { host } = setUp();
    host.reconcile([record()]);
    const ui = pluginOf(host).sdk?.ui;
    const declared = panelOf(host);
    ui?.registerPanel(textPanel("again"));
    ui?.registerCommand({ id: "c", title: "Old", run: () => undefined });
    ui?.registerCommand({ id: "c", title: "New", run: () => undefined });
    expect(panelOf(host)).toBe(declared);
    expect(pluginOf(host).commands.map(({ title }) => title)).toEqual(["New"]);
  });

  it("takes the place of a declared command with the same id", async () => {
    const { host } = setUp();
    host.reconcile([record({ ui: COMMANDS_UI })]);
    const [declared] = pluginOf(host).commands;
    const run = vi.fn();
    pluginOf(host).sdk?.ui.registerCommand({ id: "count", title: "Count better", run });
    const [mine] = pluginOf(host).commands;
    expect(mine?.title).toBe("Count better");
    expect(await mine?.lifecycle.ready()).toBe(run);
    expect(declared?.lifecycle.phase).toBe("disposed");
  });

  it("cannot take another plugin's address", () => {
    const { host } = setUp();
    host.reconcile([record()]);
    const ui = pluginOf(host).sdk?.ui;
    expect(() => ui?.registerRoute({ path: "/other", element: Page })).toThrow('"/demo"');
  });

  it("adds nothing to the successor of an unloaded version", () => {
    const { host } = setUp();
    host.reconcile([record()]);
    const old = pluginOf(host).sdk?.ui;
    host.reconcile([record({}, "/mf/demo/2/remoteEntry.js")]);
    const reader = vi.fn();
    host.subscribe(reader);
    old?.registerCommand({ id: "ghost", title: "Ghost", run: () => undefined });
    expect(pluginOf(host).commands).toEqual([]);
    expect(reader).not.toHaveBeenCalled();
  });
});
