/** @mosaiclife/plugin-sdk/host: what a core needs to load plugins into its pages. */
export { isBelow, readContributions } from "./contributions.ts";
export type {
  ComponentRef,
  Contributions,
  DeclaredCommand,
  DeclaredMenu,
  DeclaredPanel,
  DeclaredRoute,
} from "./contributions.ts";
export { createPluginHost } from "./host.ts";
export type { MountedPanel, PluginHost, PluginHostOptions } from "./host.ts";
export type {
  HostedCommand,
  HostedMenu,
  HostedPanel,
  HostedPlugin,
  HostedRoute,
  PluginRecord,
  PluginState,
} from "./plugins.ts";
export type { Lifecycle, Phase } from "./lifecycle.ts";
export { createFederation, registerRemote } from "./registerRemote.ts";
export type {
  ContributionKind,
  FederationOptions,
  ModuleExports,
  Remote,
  RemoteRef,
  Remotes,
  SharedLibrary,
} from "./registerRemote.ts";
export { createPluginSdk } from "./sdk.ts";
export type { PageServices, PluginSdk } from "./sdk.ts";
export { createEventStream } from "../events.ts";
export type { Connection, EventStream, EventStreamOptions } from "../events.ts";
export { createNames } from "../names.ts";
export type { LoadNames, NamesOptions } from "../names.ts";
