/** A plugin as core lists it, and as the page holds it. */
import type { CommandRun, MenuRun, Panel, SDK, TargetKind } from "../types.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The states of a plugin (spec §16). */
export type PluginState = "Installed" | "Registering" | "Ready" | "Degraded" | "Disabled";

/** A plugin as core lists it at `GET /api/plugins`. */
export interface PluginRecord {
  id: string;
  title: string;
  version: string;
  state: PluginState;
  reason?: string | null;
  /** Null until core's health gate has opened, and again when the plugin is off. */
  ui: {
    entryUrl: string;
    integrity?: string | null;
    contributions: unknown;
    /** `compat.frontend_sdk` of the manifest: the versions of this SDK that the remote works with. */
    frontendSdk?: string | null;
  } | null;
}

export interface HostedPanel {
  readonly id: string;
  readonly title: string;
  readonly lifecycle: Lifecycle<Panel>;
}

export interface HostedRoute {
  /** Begins with `/<id>`. */
  readonly path: string;
  readonly lifecycle: Lifecycle<unknown>;
}

export interface HostedCommand {
  readonly id: string;
  readonly title: string;
  /** Brings what the command does: nothing is fetched before it is chosen. */
  readonly lifecycle: Lifecycle<CommandRun>;
}

export interface HostedMenu {
  readonly id: string;
  readonly title: string;
  readonly target: TargetKind;
  readonly lifecycle: Lifecycle<MenuRun>;
}

/** A plugin as the page sees it now; a new object after each change. */
export interface HostedPlugin {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly state: PluginState;
  readonly reason: string | undefined;
  /** Different for each load of the remote; undefined while nothing is loaded. */
  readonly generation: string | undefined;
  readonly sdk: SDK | undefined;
  readonly panels: readonly HostedPanel[];
  readonly routes: readonly HostedRoute[];
  readonly commands: readonly HostedCommand[];
  readonly contextMenus: readonly HostedMenu[];
  readonly problems: readonly string[];
}
