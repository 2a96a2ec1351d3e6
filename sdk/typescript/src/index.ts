/** @mosaiclife/plugin-sdk: what the interface of a plugin uses of Mosaic Life. No framework in here. */
export { createQueryCache } from "./cache";
export type {
  CacheOptions,
  Conditional,
  Load,
  Query,
  QueryCache,
  QueryOptions,
  Snapshot,
} from "./cache";
export { CompatError, satisfies } from "./compat";
export { RemoteError, SdkHttpError } from "./errors";
export type { ErrorDetail, HttpFailure, RemoteFailure } from "./errors";
export { createHttp, withQuery } from "./http";
export type { HttpClient, HttpOptions, QueryValue } from "./http";
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
} from "./types";
export { SDK_VERSION } from "./version";
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
} from "./wire";
