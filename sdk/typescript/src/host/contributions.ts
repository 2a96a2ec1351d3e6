/** Read what a plugin's manifest contributes to the interface (spec §4, §9.1). */
import { RemoteError } from "../errors.ts";
import type { CommandRun, MenuRun, Panel } from "../types.ts";

/** Where a contribution is found: an exposed module and one of its exports. */
export interface ComponentRef {
  module: string;
  name: string;
}

export interface DeclaredPanel {
  id: string;
  title: string;
  component: ComponentRef;
}

export interface DeclaredRoute {
  path: string;
  component: ComponentRef;
}

export interface DeclaredCommand {
  id: string;
  title: string;
  component: ComponentRef;
}

export interface DeclaredMenu extends DeclaredCommand {
  target: string;
}

export interface Contributions {
  panels: readonly DeclaredPanel[];
  routes: readonly DeclaredRoute[];
  commands: readonly DeclaredCommand[];
  contextMenus: readonly DeclaredMenu[];
  /** What was declared and cannot be used, in words. */
  problems: readonly string[];
}

const DEFAULT_PANEL = "Panel#panel";

/** The name of the plugin's container: what a page can see of it carries its id. */
export function containerName(pluginId: string): string {
  return `plugin_${pluginId.replaceAll("-", "_")}`;
}

/** Read the `contributions` of a manifest; a bad entry becomes a problem and harms no other. */
export function readContributions(pluginId: string, declared: unknown): Contributions {
  const problems: string[] = [];
  const collect = <T>(key: string, read: (entry: Entry) => T | string): T[] =>
    entriesOf(declared, key).flatMap((entry, index) => {
      const result = read(entry);
      if (typeof result !== "string") return [result];
      problems.push(`${key}[${index}]: ${result}`);
      return [];
    });
  const panels = collect("panels", readPanel);
  const routes = collect("routes", (entry) => readRoute(pluginId, entry));
  const commands = collect("commands", readCommand).filter(isLoadable);
  const contextMenus = collect("contextMenus", readMenu).filter(isLoadable);
  return { panels, routes, commands, contextMenus, problems };
}

/** Read `Routes#SomePage`: the exposed module without its `./`, and the export. */
export function readComponent(text: string): ComponentRef | undefined {
  const match = /^(?:\.\/)?([\w./-]+)#([A-Za-z_$][\w$]*)$/.exec(text);
  const [, module, name] = match ?? [];
  return module !== undefined && name !== undefined ? { module, name } : undefined;
}

/** Take the export that *component* names from a loaded module. */
export function pick(
  pluginId: string,
  exports: Readonly<Record<string, unknown>>,
  { module, name }: ComponentRef,
): unknown {
  const value = exports[name];
  if (value !== undefined && value !== null) return value;
  const message = `${pluginId} does not export "${name}" from its module "${module}".`;
  throw new RemoteError(pluginId, "missing-export", message);
}

/** Make sure that *value* keeps the contract of a panel (spec §7.3). */
export function asPanel(pluginId: string, value: unknown): Panel {
  const panel = value as Partial<Panel>;
  if (typeof panel.mount === "function" && typeof panel.unmount === "function") {
    return panel as Panel;
  }
  const message = `${pluginId} exports a panel without mount and unmount.`;
  throw new RemoteError(pluginId, "bad-contribution", message);
}

/** Make sure that *value* is something that React can render: a component, plain or wrapped. */
export function asComponent(pluginId: string, value: unknown): unknown {
  const wrapped = typeof value === "object" && value !== null && "$$typeof" in value;
  if (typeof value === "function" || wrapped) return value;
  const message = `${pluginId} exports a page that is not a component.`;
  throw new RemoteError(pluginId, "bad-contribution", message);
}

/** Make sure that *value* is something that can be done: a function. */
export function asAction(pluginId: string, value: unknown): CommandRun & MenuRun {
  if (typeof value === "function") return value as CommandRun & MenuRun;
  const message = `${pluginId} exports a command that is not a function.`;
  throw new RemoteError(pluginId, "bad-contribution", message);
}

type Entry = Record<string, unknown>;

function entriesOf(declared: unknown, key: string): Entry[] {
  const list = isRecord(declared) ? declared[key] : undefined;
  return Array.isArray(list) ? list.map((entry) => (isRecord(entry) ? entry : {})) : [];
}

function readPanel(entry: Entry): DeclaredPanel | string {
  const { id, title, component = DEFAULT_PANEL } = entry;
  if (typeof id !== "string" || id === "") return "a panel needs an id";
  return located({ id, title: typeof title === "string" ? title : id }, component);
}

/** A plugin's pages lie below its own id, so that no plugin can take another one's place. */
function readRoute(pluginId: string, entry: Entry): DeclaredRoute | string {
  const { path, component } = entry;
  if (typeof path !== "string" || !isBelow(`/${pluginId}`, path)) {
    return `the path of a page begins with "/${pluginId}"`;
  }
  return located({ path }, component);
}

/** Join what is declared with the place of its code, or say that there is no such place. */
function located<T>(declared: T, component: unknown): (T & { component: ComponentRef }) | string {
  const text = typeof component === "string" ? component : JSON.stringify(component);
  const found = readComponent(text);
  return found ? { ...declared, component: found } : `"${text}" is not <module>#<export>`;
}

/** A declared action; without a component it is one that the plugin's code registers. */
interface DeclaredAction {
  id: string;
  title: string;
  component: ComponentRef | undefined;
}

function readCommand(entry: Entry): DeclaredAction | string {
  const { id, title, component } = entry;
  if (typeof id !== "string" || id === "") return "an action needs an id";
  if (typeof title !== "string" || title === "") return "an action needs a title";
  const plain = { id, title, component: undefined };
  return component === undefined || component === null ? plain : located(plain, component);
}

function readMenu(entry: Entry): (DeclaredAction & { target: string }) | string {
  const action = readCommand(entry);
  if (typeof action === "string") return action;
  const { target } = entry;
  if (typeof target !== "string" || target === "") return "an entry of a menu needs a target";
  return { ...action, target };
}

function isLoadable<T extends DeclaredAction>(action: T): action is T & DeclaredCommand {
  return action.component !== undefined;
}

/** True when *path* is *root* or lies below it. */
export function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
