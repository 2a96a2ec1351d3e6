/** @mosaiclife/plugin-sdk: what the interface of a plugin uses of Mosaic Life. No framework in here. */
export { createQueryCache } from "./cache.ts";
export type {
  CacheOptions,
  Conditional,
  Load,
  Query,
  QueryCache,
  QueryOptions,
  Snapshot,
} from "./cache.ts";
export { CompatError, satisfies } from "./compat.ts";
export { RemoteError, SdkHttpError } from "./errors.ts";
export type { ErrorDetail, HttpFailure, RemoteFailure } from "./errors.ts";
export { createHttp, withQuery } from "./http.ts";
export type { HttpClient, HttpOptions, QueryValue } from "./http.ts";
export type {
  ActionContext,
  CommandContribution,
  CommandRun,
  ContextMenuContribution,
  Envelope,
  Events,
  Http,
  HttpMethod,
  Legacy,
  MenuRun,
  MenuTarget,
  Meta,
  Names,
  PageContext,
  Panel,
  PanelContext,
  RequestOptions,
  RouteContribution,
  SDK,
  TargetKind,
  Theme,
  Ui,
} from "./types.ts";
export { SDK_VERSION } from "./version.ts";
export type {
  ActionEntry,
  Capability,
  ComponentName,
  DomainEvent,
  ErrorBody,
  JobSpec,
  Manifest,
  PanelEntry,
  Registered,
  RegistrationRequest,
  RouteEntry,
  TopicMessage,
} from "./wire.ts";
