/** One plugin's place in the page: what it has loaded, until it is unloaded. */
import { RemoteError } from "../errors";
import type {
  CommandContribution,
  ContextMenuContribution,
  Panel,
  RouteContribution,
  Ui,
} from "../types";
import { asComponent, asPanel, isBelow, pick, readContributions } from "./contributions";
import type { ComponentRef } from "./contributions";
import { createLifecycle, type Lifecycle } from "./lifecycle";
import type { HostedPanel, HostedPlugin, HostedRoute, PluginRecord } from "./plugins";
import type { Remote, Remotes } from "./registerRemote";
import { createPluginSdk, type PageServices, type PluginSdk } from "./sdk";

type RemoteUi = NonNullable<PluginRecord["ui"]>;

/** What one load of a remote contributes. */
interface Lists {
  panels: HostedPanel[];
  routes: HostedRoute[];
  commands: CommandContribution[];
  contextMenus: ContextMenuContribution[];
}

interface Loaded {
  generation: string;
  entry: string;
  remote: Remote;
  plugin: PluginSdk;
  lists: Lists;
  problems: readonly string[];
}

let loads = 0;

/** One plugin's place in the page. */
export class Slot {
  private record: PluginRecord | undefined;
  private loaded: Loaded | undefined;
  private refusal: string | undefined;

  constructor(
    private readonly remotes: Remotes,
    private readonly page: PageServices,
    private readonly changed: () => void,
  ) {}

  /** Take over what core says; the old version leaves before the new one comes (spec §17). */
  follow(record: PluginRecord): void {
    this.record = record;
    const entry = record.ui === null ? undefined : entryOf(record.ui);
    if (entry === this.loaded?.entry) return;
    this.unload();
    if (record.ui !== null) this.load(record, record.ui);
  }

  unload(): void {
    const loaded = this.loaded;
    this.loaded = undefined;
    this.refusal = undefined;
    if (loaded === undefined) return;
    for (const panel of loaded.lists.panels) panel.lifecycle.dispose();
    for (const route of loaded.lists.routes) route.lifecycle.dispose();
    loaded.plugin.dispose();
    loaded.remote.dispose();
  }

  view(): HostedPlugin {
    const { record, loaded } = this;
    if (record === undefined) throw new Error("a slot is viewed after it followed a record");
    return {
      id: record.id,
      title: record.title,
      version: record.version,
      state: record.state,
      reason: record.reason ?? undefined,
      generation: loaded?.generation,
      sdk: loaded?.plugin.sdk,
      panels: [...(loaded?.lists.panels ?? [])],
      routes: [...(loaded?.lists.routes ?? [])],
      commands: [...(loaded?.lists.commands ?? [])],
      contextMenus: [...(loaded?.lists.contextMenus ?? [])],
      problems: [
        ...(loaded?.problems ?? []),
        ...(this.refusal === undefined ? [] : [this.refusal]),
      ],
    };
  }

  private load({ id }: PluginRecord, ui: RemoteUi): void {
    const remote = this.register(id, ui);
    if (remote === undefined) return;
    const { panels, routes, problems } = readContributions(id, ui.contributions);
    const bring = (component: ComponentRef) => async () =>
      pick(id, await remote.load(component.module), component);
    const lists: Lists = {
      panels: panels.map(({ component, ...panel }) => ({
        ...panel,
        lifecycle: panelLife(id, bring(component)),
      })),
      routes: routes.map(({ component, path }) => ({
        path,
        lifecycle: routeLife(id, bring(component)),
      })),
      commands: [],
      contextMenus: [],
    };
    const plugin = createPluginSdk(id, this.page, this.ui(id, lists));
    const generation = `${id}:${String((loads += 1))}`;
    this.loaded = { generation, entry: entryOf(ui), remote, plugin, lists, problems };
  }

  private register(id: string, ui: RemoteUi): Remote | undefined {
    try {
      const integrity = ui.integrity ?? undefined;
      return this.remotes.register({ id, url: ui.entryUrl, contributions: [], integrity });
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  /** What a plugin adds while it runs stands beside what its manifest declares (spec §15.2). */
  private ui(id: string, lists: Lists): Ui {
    const add = (change: (lists: Lists) => void) => {
      // A version that was unloaded adds nothing to its successor.
      if (this.loaded?.lists !== lists) return;
      change(lists);
      this.changed();
    };
    return {
      registerPanel: (panel) => add(({ panels }) => addPanel(id, panels, panel)),
      registerRoute: (route) => add(({ routes }) => addRoute(id, routes, route)),
      registerCommand: (command) => add(({ commands }) => replaceById(commands, command)),
      registerContextMenu: (menu) => add(({ contextMenus }) => replaceById(contextMenus, menu)),
    };
  }
}

function panelLife(id: string, bring: () => Promise<unknown>): Lifecycle<Panel> {
  return createLifecycle(async () => asPanel(id, await bring()), unloaded(id));
}

function routeLife(id: string, bring: () => Promise<unknown>): Lifecycle<unknown> {
  return createLifecycle(async () => asComponent(id, await bring()), unloaded(id));
}

function unloaded(id: string): () => RemoteError {
  return () => new RemoteError(id, "unloaded", `${id} was unloaded.`);
}

/** A declared panel may register itself again when it is mounted; the first one stays. */
function addPanel(id: string, panels: HostedPanel[], panel: Panel): void {
  if (panels.some((other) => other.id === panel.id)) return;
  const lifecycle = panelLife(id, () => Promise.resolve(panel));
  panels.push({ id: panel.id, title: panel.title, lifecycle });
}

function addRoute(id: string, routes: HostedRoute[], { path, element }: RouteContribution): void {
  if (!isBelow(`/${id}`, path)) {
    const message = `the path of a page begins with "/${id}"`;
    throw new RemoteError(id, "bad-contribution", message);
  }
  if (routes.some((other) => other.path === path)) return;
  routes.push({ path, lifecycle: routeLife(id, () => Promise.resolve(element)) });
}

/** What must be equal for a loaded remote to stay. */
function entryOf(ui: RemoteUi): string {
  return JSON.stringify([ui.entryUrl, ui.integrity ?? null, ui.contributions]);
}

function replaceById<T extends { id: string }>(list: T[], item: T): void {
  const at = list.findIndex((other) => other.id === item.id);
  if (at >= 0) list[at] = item;
  else list.push(item);
}
