/** The contracts between Mosaic Life and the interface of a plugin (spec §7.3, §15.2). */
import type { QueryCache } from "./cache.ts";

/** A widget that lives in an element of a host page (spec §7.3). */
export type Panel = {
  id: string;
  title: string;
  /** Show the panel in *el*. A second call replaces the first. */
  mount: (el: HTMLElement, ctx: PanelContext) => void;
  /** Take the panel away. Harmless when nothing is mounted. */
  unmount: () => void;
};

/** What a panel is told about the place where it is shown. */
export interface PanelContext {
  sdk: SDK;
  tenantId: string;
  /** The legacy of the page around the panel; absent where the page shows no single legacy. */
  legacyId?: string;
  legacyName?: string;
  /** BCP 47, for `Intl`. */
  locale: string;
  /** IANA name of the viewer's zone. */
  timezone?: string;
  theme?: Theme;
}

export type Theme = "light" | "dark";

/** One remembered person, as far as the viewer may know. */
export interface Legacy {
  id: string;
  name: string;
  role: string;
  birthDate?: string | null;
  passingDate?: string | null;
}

/** What a page of a plugin is told; pages read it with `useSdk`. */
export interface PageContext {
  tenantId: string;
  locale: string;
  timezone?: string;
  theme?: Theme;
  legacies: readonly Legacy[];
}

/** A page of a plugin (spec §7.3): *element* is a React component, *path* begins with `/<id>`. */
export interface RouteContribution {
  path: string;
  element: unknown;
}

/** Where a command or an entry of a menu was chosen. */
export interface ActionContext {
  sdk: SDK;
  tenantId: string;
  locale: string;
  timezone?: string;
}

/** What a command does; it is given up when its plugin is unloaded before it was loaded. */
export type CommandRun = (context: ActionContext) => void | Promise<void>;

/** An entry of the command palette (spec §4). */
export interface CommandContribution {
  /** Unique within the plugin. */
  id: string;
  title: string;
  run: CommandRun;
}

/** The kinds of things that have a menu. A core may know more of them. */
export type TargetKind = "legacy" | "story" | (string & {});

/** What a context menu was opened on. */
export interface MenuTarget {
  kind: TargetKind;
  id: string;
  /** The legacy that the thing belongs to; for a legacy its own id. */
  legacyId?: string;
}

/** What an entry of a menu does with the thing that it was chosen on. */
export type MenuRun = (target: MenuTarget, context: ActionContext) => void | Promise<void>;

/** An entry of the context menu of all things of one kind (spec §4). */
export interface ContextMenuContribution {
  /** Unique within the plugin. */
  id: string;
  title: string;
  target: TargetKind;
  run: MenuRun;
}

export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RequestOptions {
  method?: HttpMethod;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** The plugin's own backend, reached through core. Paths are the plugin's own: `/v1/data/items?limit=20`. */
export interface Http {
  /** Resolve to the parsed body, `{data, meta}`; reject with `SdkHttpError`. */
  get<T>(path: string): Promise<T>;
  request<T>(path: string, options?: RequestOptions): Promise<T>;
}

/** The body of every successful answer. */
export interface Envelope<T, M = Meta> {
  data: T;
  meta: M;
}

export interface Meta {
  requestId: string;
  timestamp: string;
  pagination?: { nextCursor?: string | null; [key: string]: unknown };
  [key: string]: unknown;
}

export interface Events {
  /** Call *handler* with each message of *topic* until the returned function is called. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the signature of spec §15.2
  subscribe(topic: string, handler: (msg: any) => void): () => void;
}

export interface Names {
  /** Map ids to display names; ids that the viewer may not see are left out. */
  resolve(ids: readonly string[]): Promise<Record<string, string>>;
}

export interface Ui {
  registerPanel(p: Panel): void;
  registerRoute(r: RouteContribution): void;
  registerCommand(c: CommandContribution): void;
  registerContextMenu(m: ContextMenuContribution): void;
  /** Show a page of the application: a path such as `/plugins/<id>`, perhaps with a query. */
  open(path: string): void;
}

/** Everything a plugin's interface may use of its core (spec §15.2). */
export interface SDK {
  events: Events;
  http: Http;
  names: Names;
  ui: Ui;
  cache: QueryCache;
}
