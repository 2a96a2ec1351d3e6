/**
 * Type tests of everything that the package exports: the compiler runs them (`./just check`), and
 * `exports.test.ts` sees that none is forgotten. The first block is the specification's own text.
 */
import { expectTypeOf } from "vitest";
import * as host from "./host/index.ts";
import * as sdk from "./index.ts";
import * as react from "./react.ts";
import * as testing from "./testing.ts";

// Spec §7.2, §7.3, §15.2: what is written there compiles, and means what it says.
declare const specPanel: {
  id: string;
  title: string;
  mount: (el: HTMLElement, ctx: { sdk: sdk.SDK; tenantId: string }) => void;
  unmount: () => void;
};
expectTypeOf(specPanel).toExtend<sdk.Panel>();
expectTypeOf<sdk.SDK["events"]["subscribe"]>().toEqualTypeOf<
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the signature of spec §15.2
  (topic: string, handler: (msg: any) => void) => () => void
>();
expectTypeOf<sdk.SDK["http"]["get"]>().toEqualTypeOf<<T>(path: string) => Promise<T>>();
expectTypeOf<sdk.SDK["ui"]["registerPanel"]>().toEqualTypeOf<(p: sdk.Panel) => void>();
expectTypeOf<{ path: string; element: unknown }>().toExtend<sdk.RouteContribution>();
expectTypeOf<sdk.SDK["ui"]["registerRoute"]>().parameter(0).toExtend<{ path: string }>();
expectTypeOf(host.registerRemote).toBeCallableWith({
  id: "demo",
  url: "https://demo.test/mf/remoteEntry.js",
  contributions: ["panel", "routes"],
  integrity: undefined,
});

// Contexts
expectTypeOf<sdk.PanelContext>().toExtend<{ sdk: sdk.SDK; tenantId: string; locale: string }>();
expectTypeOf<sdk.PanelContext["legacyId"]>().toEqualTypeOf<string | undefined>();
expectTypeOf<sdk.PanelContext["theme"]>().toEqualTypeOf<sdk.Theme | undefined>();
expectTypeOf<sdk.Theme>().toEqualTypeOf<"light" | "dark">();
expectTypeOf<sdk.PageContext["legacies"]>().toEqualTypeOf<readonly sdk.Legacy[]>();
expectTypeOf<sdk.Legacy>().toExtend<{ id: string; name: string; role: string }>();

// Commands and menus
expectTypeOf<sdk.Ui>().toExtend<{
  registerCommand(c: sdk.CommandContribution): void;
  registerContextMenu(m: sdk.ContextMenuContribution): void;
  open(path: string): void;
}>();
expectTypeOf<sdk.CommandContribution>().toEqualTypeOf<{
  id: string;
  title: string;
  run: sdk.CommandRun;
}>();
expectTypeOf<sdk.ContextMenuContribution>().toEqualTypeOf<{
  id: string;
  title: string;
  target: sdk.TargetKind;
  run: sdk.MenuRun;
}>();
expectTypeOf<sdk.CommandRun>().parameters.toEqualTypeOf<[context: sdk.ActionContext]>();
expectTypeOf<sdk.MenuRun>().parameters.toEqualTypeOf<
  [target: sdk.MenuTarget, context: sdk.ActionContext]
>();
expectTypeOf<"legacy" | "story" | "media">().toExtend<sdk.TargetKind>();
expectTypeOf<() => void>().toExtend<sdk.CommandRun>();
expectTypeOf<() => Promise<void>>().toExtend<sdk.MenuRun>();
expectTypeOf<sdk.MenuTarget["legacyId"]>().toEqualTypeOf<string | undefined>();

// HTTP
expectTypeOf<sdk.SDK["http"]>().toEqualTypeOf<sdk.Http>();
expectTypeOf<sdk.Http["request"]>().toEqualTypeOf<
  <T>(path: string, options?: sdk.RequestOptions) => Promise<T>
>();
expectTypeOf<sdk.RequestOptions["method"]>().toEqualTypeOf<sdk.HttpMethod | undefined>();
expectTypeOf<"DELETE">().toExtend<sdk.HttpMethod>();
expectTypeOf<sdk.Envelope<number>>().toEqualTypeOf<{ data: number; meta: sdk.Meta }>();
expectTypeOf<sdk.Envelope<number, string>["meta"]>().toEqualTypeOf<string>();
expectTypeOf(sdk.createHttp).toEqualTypeOf<(options: sdk.HttpOptions) => sdk.HttpClient>();
expectTypeOf<sdk.HttpClient>().toExtend<sdk.Http & { conditional: sdk.Load }>();
expectTypeOf(sdk.withQuery).toEqualTypeOf<
  (path: string, parameters: Readonly<Record<string, sdk.QueryValue>>) => string
>();
expectTypeOf<string | number | boolean | null | undefined>().toExtend<sdk.QueryValue>();

// Errors
expectTypeOf(sdk.SdkHttpError).toBeConstructibleWith({ status: 0, code: "X", message: "m" });
expectTypeOf(sdk.SdkHttpError).constructorParameters.toEqualTypeOf<
  [failure: sdk.HttpFailure, options?: ErrorOptions]
>();
expectTypeOf<sdk.SdkHttpError>().toExtend<
  Error & { status: number; retryAfter?: number | undefined }
>();
expectTypeOf<sdk.SdkHttpError["details"]>().toEqualTypeOf<readonly sdk.ErrorDetail[]>();
expectTypeOf<sdk.RemoteError["kind"]>().toEqualTypeOf<sdk.RemoteFailure>();
expectTypeOf<"integrity" | "version" | "chunk">().toExtend<sdk.RemoteFailure>();
expectTypeOf(sdk.satisfies).toEqualTypeOf<(range: string, version: string) => boolean>();
expectTypeOf<sdk.CompatError>().toExtend<Error>();
expectTypeOf(sdk.SDK_VERSION).toExtend<string>();

// Cache, events, names
expectTypeOf(sdk.createQueryCache).toEqualTypeOf<
  (load: sdk.Load, options?: sdk.CacheOptions) => sdk.QueryCache
>();
expectTypeOf<sdk.SDK["cache"]>().toEqualTypeOf<sdk.QueryCache>();
expectTypeOf<sdk.QueryCache["query"]>().toEqualTypeOf<
  <T>(path: string, options?: sdk.QueryOptions) => sdk.Query<T>
>();
expectTypeOf<sdk.Query<number>["snapshot"]>().toEqualTypeOf<sdk.Snapshot<number>>();
expectTypeOf<sdk.Snapshot<number>["data"]>().toEqualTypeOf<number | undefined>();
expectTypeOf<sdk.Load>().returns.toEqualTypeOf<Promise<sdk.Conditional<unknown>>>();
expectTypeOf<{ modified: false }>().toExtend<sdk.Conditional<number>>();
expectTypeOf<sdk.SDK["events"]>().toEqualTypeOf<sdk.Events>();
expectTypeOf<sdk.Names["resolve"]>().toEqualTypeOf<
  (ids: readonly string[]) => Promise<Record<string, string>>
>();

// The wire
expectTypeOf<sdk.Manifest["capabilities"]>().toEqualTypeOf<sdk.Capability[] | undefined>();
expectTypeOf<NonNullable<sdk.Manifest["ui"]["contributions"]>>().toExtend<{
  panels?: sdk.PanelEntry[];
  routes?: sdk.RouteEntry[];
  commands?: sdk.ActionEntry[];
  contextMenus?: (sdk.ActionEntry & { target: string })[];
}>();
expectTypeOf<"Routes#Page">().toExtend<sdk.ComponentName>();
expectTypeOf<"Routes">().not.toExtend<sdk.ComponentName>();
expectTypeOf<sdk.DomainEvent<{ title: string }>["payload"]>().toEqualTypeOf<{ title: string }>();
expectTypeOf<sdk.JobSpec["scope"]>().toEqualTypeOf<"instance" | "tenant">();
expectTypeOf<sdk.ErrorBody["error"]["code"]>().toEqualTypeOf<string>();
expectTypeOf<sdk.RegistrationRequest["manifest"]>().toEqualTypeOf<sdk.Manifest>();
expectTypeOf<sdk.Registered["data"]["scheduler"]>().toEqualTypeOf<boolean>();
expectTypeOf<sdk.TopicMessage>().toExtend<{ type: string }>();

// React
expectTypeOf(react.useSdk).toEqualTypeOf<() => react.SdkValue>();
expectTypeOf<react.SdkValue>().toEqualTypeOf<sdk.PageContext & { sdk: sdk.SDK }>();
expectTypeOf(react.SdkProvider).parameter(0).toEqualTypeOf<react.SdkProviderProps>();
expectTypeOf(react.useQuery<number>).toEqualTypeOf<
  (cache: sdk.QueryCache, path: string) => react.QueryResult<number>
>();
expectTypeOf<react.QueryResult<number>>().toExtend<
  sdk.Snapshot<number> & { refresh: () => void }
>();

// Host
expectTypeOf(host.createFederation).toEqualTypeOf<
  (options: host.FederationOptions) => host.Remotes
>();
expectTypeOf<host.FederationOptions["shared"][string]>().toEqualTypeOf<host.SharedLibrary>();
expectTypeOf<host.Remotes["register"]>().toEqualTypeOf<(ref: host.RemoteRef) => host.Remote>();
expectTypeOf<host.RemoteRef["contributions"]>().toEqualTypeOf<readonly host.ContributionKind[]>();
expectTypeOf<host.Remote["load"]>().returns.toEqualTypeOf<Promise<host.ModuleExports>>();
expectTypeOf(host.createPluginHost).toEqualTypeOf<
  (options: host.PluginHostOptions) => host.PluginHost
>();
expectTypeOf<host.PluginHost["plugins"]>().toEqualTypeOf<readonly host.HostedPlugin[]>();
expectTypeOf<host.PluginHost["mountPanel"]>().toEqualTypeOf<
  (panel: host.HostedPanel, el: HTMLElement, context: sdk.PanelContext) => host.MountedPanel
>();
expectTypeOf<host.PluginHost["reconcile"]>()
  .parameter(0)
  .toEqualTypeOf<readonly host.PluginRecord[]>();
expectTypeOf<host.PluginRecord["state"]>().toEqualTypeOf<host.PluginState>();
expectTypeOf<host.HostedPanel["lifecycle"]>().toEqualTypeOf<host.Lifecycle<sdk.Panel>>();
expectTypeOf<host.HostedRoute["lifecycle"]>().toEqualTypeOf<host.Lifecycle<unknown>>();
expectTypeOf<host.HostedCommand["lifecycle"]>().toEqualTypeOf<host.Lifecycle<sdk.CommandRun>>();
expectTypeOf<host.HostedMenu["lifecycle"]>().toEqualTypeOf<host.Lifecycle<sdk.MenuRun>>();
expectTypeOf<host.Lifecycle<number>["phase"]>().toEqualTypeOf<host.Phase>();
expectTypeOf(host.readContributions).toEqualTypeOf<
  (pluginId: string, declared: unknown) => host.Contributions
>();
expectTypeOf<host.Contributions["panels"][number]>().toEqualTypeOf<host.DeclaredPanel>();
expectTypeOf<host.Contributions["routes"][number]>().toEqualTypeOf<host.DeclaredRoute>();
expectTypeOf<host.Contributions["commands"][number]>().toEqualTypeOf<host.DeclaredCommand>();
expectTypeOf<host.Contributions["contextMenus"][number]>().toEqualTypeOf<host.DeclaredMenu>();
expectTypeOf<host.DeclaredPanel["component"]>().toEqualTypeOf<host.ComponentRef>();
expectTypeOf(host.isBelow).toEqualTypeOf<(root: string, path: string) => boolean>();
expectTypeOf(host.createPluginSdk).toEqualTypeOf<
  (id: string, page: host.PageServices, ui: sdk.Ui) => host.PluginSdk
>();
expectTypeOf<host.PluginSdk["sdk"]>().toEqualTypeOf<sdk.SDK>();
expectTypeOf(host.createEventStream).toEqualTypeOf<
  (options: host.EventStreamOptions) => host.EventStream
>();
expectTypeOf<host.EventStream["connection"]>().toEqualTypeOf<host.Connection>();
expectTypeOf(host.createNames).toEqualTypeOf<(options: host.NamesOptions) => sdk.Names>();
expectTypeOf<host.NamesOptions["load"]>().toEqualTypeOf<host.LoadNames>();

// Testing
expectTypeOf(testing.createFakeSdk).toEqualTypeOf<
  (options?: testing.FakeSdkOptions) => testing.FakeSdk
>();
expectTypeOf<testing.FakeSdk>().toExtend<sdk.SDK>();
expectTypeOf<testing.FakeSdk["requests"]>().toEqualTypeOf<readonly testing.FakeRequest[]>();
expectTypeOf(testing.reply).returns.toEqualTypeOf<testing.FakeReply>();
expectTypeOf(testing.inTurn).returns.toEqualTypeOf<testing.FakeResponse>();
