/** One plugin's place in the page: what it has loaded, until it is unloaded. */
import { satisfies } from "../compat.ts";
import { RemoteError } from "../errors.ts";
import type {
  CommandContribution,
  CommandRun,
  ContextMenuContribution,
  MenuRun,
  Panel,
  RouteContribution,
  Ui,
} from "../types.ts";
import { SDK_VERSION } from "../version.ts";
import {
  asAction,
  asComponent,
  asPanel,
  isBelow,
  pick,
  readContributions,
} from "./contributions.ts";
import type { ComponentRef } from "./contributions.ts";
import { createLifecycle, type Lifecycle } from "./lifecycle.ts";
import type {
  HostedCommand,
  HostedMenu,
  HostedPanel,
  HostedPlugin,
  HostedRoute,
  PluginRecord,
} from "./plugins.ts";
import type { Remote, Remotes } from "./registerRemote.ts";
import { createPluginSdk, type PageServices, type PluginSdk } from "./sdk.ts";

type RemoteUi = NonNullable<PluginRecord["ui"]>;

/** What one load of a remote contributes. */
interface Lists {
  panels: HostedPanel[];
  routes: HostedRoute[];
  commands: HostedCommand[];
  contextMenus: HostedMenu[];
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
    const { panels, routes, commands, contextMenus } = loaded.lists;
    for (const { lifecycle } of [...panels, ...routes, ...commands, ...contextMenus]) {
      lifecycle.dispose();
    }
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
    const declared = readContributions(id, ui.contributions);
    const bring = (component: ComponentRef) => async () =>
      pick(id, await remote.load(component.module), component);
    const lists: Lists = {
      panels: declared.panels.map(({ component, ...panel }) => ({
        ...panel,
        lifecycle: panelLife(id, bring(component)),
      })),
      routes: declared.routes.map(({ component, path }) => ({
        path,
        lifecycle: routeLife(id, bring(component)),
      })),
      commands: declared.commands.map(({ component, ...command }) => ({
        ...command,
        lifecycle: actionLife(id, bring(component)),
      })),
      contextMenus: declared.contextMenus.map(({ component, ...menu }) => ({
        ...menu,
        lifecycle: actionLife(id, bring(component)),
      })),
    };
    const plugin = createPluginSdk(id, this.page, this.ui(id, lists));
    const generation = `${id}:${String((loads += 1))}`;
    const { problems } = declared;
    this.loaded = { generation, entry: entryOf(ui), remote, plugin, lists, problems };
  }

  private register(id: string, ui: RemoteUi): Remote | undefined {
    try {
      checkSdk(id, ui.frontendSdk ?? undefined);
      const integrity = ui.integrity ?? undefined;
      return this.remotes.register({ id, url: ui.entryUrl, contributions: [], integrity });
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  /** What a plugin adds while it runs stands beside what its manifest declares (spec §15.2). */
  private ui(id: string, lists: Lists): Ui {
    const open = this.page.open ?? ((path: string) => location.assign(path));
    const add = (change: (lists: Lists) => void) => {
      // A version that was unloaded adds nothing to its successor.
      if (this.loaded?.lists !== lists) return;
      change(lists);
      this.changed();
    };
    return {
      registerPanel: (panel) => add(({ panels }) => addPanel(id, panels, panel)),
      registerRoute: (route) => add(({ routes }) => addRoute(id, routes, route)),
      registerCommand: (command) => add(({ commands }) => addCommand(id, commands, command)),
      registerContextMenu: (menu) => add((all) => addMenu(id, all.contextMenus, menu)),
      open: (path) => open(checkedPage(path)),
    };
  }
}

function panelLife(id: string, bring: () => Promise<unknown>): Lifecycle<Panel> {
  return createLifecycle(async () => asPanel(id, await bring()), unloaded(id));
}

function routeLife(id: string, bring: () => Promise<unknown>): Lifecycle<unknown> {
  return createLifecycle(async () => asComponent(id, await bring()), unloaded(id));
}

function actionLife(id: string, bring: () => Promise<unknown>): Lifecycle<CommandRun & MenuRun> {
  return createLifecycle(async () => asAction(id, await bring()), unloaded(id));
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

function addCommand(id: string, commands: HostedCommand[], command: CommandContribution): void {
  const { title, run } = command;
  const lifecycle = actionLife(id, () => Promise.resolve(run));
  replaceById(commands, { id: command.id, title, lifecycle });
}

function addMenu(id: string, menus: HostedMenu[], menu: ContextMenuContribution): void {
  const { title, target, run } = menu;
  const lifecycle = actionLife(id, () => Promise.resolve(run));
  replaceById(menus, { id: menu.id, title, target, lifecycle });
}

/** A plugin opens pages of this application and of no other. */
function checkedPage(path: string): string {
  if (/^\/(?![/\\])/.test(path)) return path;
  throw new TypeError(`"${path}" is not a page of this application; it begins with one "/"`);
}

/** Refuse a remote that was made for another SDK, before a byte of it is fetched (spec §5). */
function checkSdk(id: string, range: string | undefined): void {
  if (range === undefined || satisfies(range, SDK_VERSION)) return;
  const misfit = `frontend_sdk ${SDK_VERSION} does not satisfy ${range}`;
  throw new RemoteError(id, "version", `${id} was not loaded: ${misfit}.`);
}

/** What must be equal for a loaded remote to stay. */
function entryOf(ui: RemoteUi): string {
  const { entryUrl, integrity = null, contributions, frontendSdk = null } = ui;
  return JSON.stringify([entryUrl, integrity, contributions, frontendSdk]);
}

/** What code registers takes the place of what the manifest declares under the same id. */
function replaceById<T extends HostedCommand | HostedMenu>(list: T[], item: T): void {
  const at = list.findIndex((other) => other.id === item.id);
  list[at]?.lifecycle.dispose();
  if (at >= 0) list[at] = item;
  else list.push(item);
}
