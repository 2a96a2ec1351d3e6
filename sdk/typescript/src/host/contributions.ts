/** Read what a plugin's manifest contributes to the interface (spec §4, §9.1). */
import { RemoteError } from "../errors";
import type { Panel } from "../types";

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

export interface Contributions {
  panels: readonly DeclaredPanel[];
  routes: readonly DeclaredRoute[];
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
  const collect = <T>(key: string, read: (entry: Record<string, unknown>) => T | string): T[] =>
    entriesOf(declared, key).flatMap((entry, index) => {
      const result = read(entry);
      if (typeof result !== "string") return [result];
      problems.push(`${key}[${index}]: ${result}`);
      return [];
    });
  const panels = collect("panels", readPanel);
  const routes = collect("routes", (entry) => readRoute(pluginId, entry));
  return { panels, routes, problems };
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

function entriesOf(declared: unknown, key: string): Record<string, unknown>[] {
  const list = isRecord(declared) ? declared[key] : undefined;
  return Array.isArray(list) ? list.map((entry) => (isRecord(entry) ? entry : {})) : [];
}

function readPanel(entry: Record<string, unknown>): DeclaredPanel | string {
  const { id, title, component = DEFAULT_PANEL } = entry;
  if (typeof id !== "string" || id === "") return "a panel needs an id";
  const found = readComponent(String(component));
  if (found === undefined) return `"${String(component)}" is not <module>#<export>`;
  return { id, title: typeof title === "string" ? title : id, component: found };
}

/** A plugin's pages lie below its own id, so that no plugin can take another one's place. */
function readRoute(pluginId: string, entry: Record<string, unknown>): DeclaredRoute | string {
  const { path, component } = entry;
  if (typeof path !== "string" || !isBelow(`/${pluginId}`, path)) {
    return `the path of a page begins with "/${pluginId}"`;
  }
  const found = readComponent(String(component));
  if (found === undefined) return `"${String(component)}" is not <module>#<export>`;
  return { path, component: found };
}

/** True when *path* is *root* or lies below it. */
export function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
