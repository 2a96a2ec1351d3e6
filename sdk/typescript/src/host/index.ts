/** @mosaiclife/plugin-sdk/host: what a core needs to load plugins into its pages. */
export { isBelow, readContributions } from "./contributions";
export type {
  ComponentRef,
  Contributions,
  DeclaredCommand,
  DeclaredMenu,
  DeclaredPanel,
  DeclaredRoute,
} from "./contributions";
export { createPluginHost } from "./host";
export type { MountedPanel, PluginHost, PluginHostOptions } from "./host";
export type {
  HostedCommand,
  HostedMenu,
  HostedPanel,
  HostedPlugin,
  HostedRoute,
  PluginRecord,
  PluginState,
} from "./plugins";
export type { Lifecycle, Phase } from "./lifecycle";
export { createFederation, registerRemote } from "./registerRemote";
export type {
  ContributionKind,
  FederationOptions,
  ModuleExports,
  Remote,
  RemoteRef,
  Remotes,
  SharedLibrary,
} from "./registerRemote";
export { createPluginSdk } from "./sdk";
export type { PageServices, PluginSdk } from "./sdk";
export { createEventStream } from "../events";
export type { Connection, EventStream, EventStreamOptions } from "../events";
export { createNames } from "../names";
export type { LoadNames, NamesOptions } from "../names";
