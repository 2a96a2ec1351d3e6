/** What travels between core, plugins and pages as JSON; `sdk/schema` says the same as schemas. */

export type Capability =
  | "http:outbound"
  | "events:publish"
  | "events:subscribe"
  | "db:read"
  | "jobs:schedule"
  | "secrets:read";

/** `<exposed module>#<export>`. */
export type ComponentName = `${string}#${string}`;

export interface PanelEntry {
  id: string;
  title: string;
  /** `Panel#panel` when it is left out. */
  component?: ComponentName;
}

export interface RouteEntry {
  /** Begins with `/<id of the plugin>`. */
  path: `/${string}`;
  component: ComponentName;
}

export interface ActionEntry {
  id: string;
  title: string;
  component?: ComponentName;
}

/** A plugin.yaml as JSON (spec §9). */
export interface Manifest {
  name: string;
  title?: string;
  /** SemVer. */
  version: string;
  compat: { core: string; backend_sdk?: string; frontend_sdk?: string };
  capabilities?: Capability[];
  ui: {
    mode: "ModuleFederation";
    remotePath: `/${string}`;
    contributions?: {
      panels?: PanelEntry[];
      routes?: RouteEntry[];
      commands?: ActionEntry[];
      contextMenus?: (ActionEntry & { target: string })[];
    };
  };
  endpoints: { basePath: `/${string}` };
  health: { livenessPath: `/${string}`; readinessPath: `/${string}` };
  /** A JSON Schema whose properties are environment variables. */
  configSchema?: { type: "object"; [keyword: string]: unknown };
  secrets?: string[];
  permissions?: { network?: { egressAllow?: `${string}:${number}`[] } };
}

/** The envelope of a domain event. Readers ignore fields that they do not know. */
export interface DomainEvent<P extends object = Record<string, unknown>> {
  id: string;
  /** Kind of resource and what became of it: `story.created`. */
  type: `${string}.${string}`;
  version: number;
  source?: string;
  /** RFC 3339, in UTC. */
  occurred_at: `${string}Z`;
  tenant_id: string;
  actor_id?: `${"user" | "service" | "plugin"}:${string}` | null;
  resource: { kind: string; id: string };
  correlation_id?: string | null;
  payload: P;
  [unknown: string]: unknown;
}

/** A job as core's scheduler takes it over. */
export interface JobSpec {
  name: string;
  description: string;
  /** Cron, or null for a job that runs only when asked. */
  schedule: string | null;
  timezone: string;
  scope: "instance" | "tenant";
  params?: Record<string, unknown> | null;
}

/** The body of every error, of core and of plugins. */
export interface ErrorBody {
  error: {
    code: string;
    message: string;
    details: { field: string; message: string }[];
    requestId: string;
    timestamp: string;
  };
}

/** What a plugin sends to register itself (spec §10). */
export interface RegistrationRequest {
  manifest: Manifest;
  serviceUrl: string;
  ui: { remoteUrl: string; integrity?: `sha384-${string}` };
  sdk?: { backend?: string; frontend?: string };
}

/** What core answers to a registration. */
export interface Registered {
  data: {
    id: string;
    state: "Installed" | "Registering" | "Ready" | "Degraded" | "Disabled";
    core: { version: string };
    capabilities: {
      granted: string[];
      refused: { capability: string; reason: string }[];
    };
    egressProxyUrl?: string;
    scheduler: boolean;
  };
}

/** One message of a topic's stream. */
export interface TopicMessage {
  type: string;
  payload: Record<string, unknown>;
}
