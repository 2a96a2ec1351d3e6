/**
 * Schemas, samples and TypeScript types agree.
 *
 * Each sample stands here a second time, as a value of its type: the compiler holds it against the
 * type, this test against the file and the schema. `tests/architecture/test_schemas.py` does the
 * same for Python with the same files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { readContributions } from "./host/contributions.ts";
import type {
  DomainEvent,
  ErrorBody,
  JobSpec,
  Manifest,
  Registered,
  RegistrationRequest,
  TopicMessage,
} from "./wire.ts";

const leastManifest = {
  name: "letters",
  version: "0.1.0",
  compat: { core: ">=2.1 <3.0" },
  ui: { mode: "ModuleFederation", remotePath: "/mf/remoteEntry.js" },
  endpoints: { basePath: "/v1" },
  health: { livenessPath: "/healthz", readinessPath: "/readyz" },
} satisfies Manifest;

const SAMPLES: Record<string, unknown> = {
  "error.details": {
    error: {
      code: "VALIDATION_FAILED",
      message: "The request is well formed and yet not valid.",
      details: [
        {
          field: "$.manifest.version",
          message: "1.1 is a number: write MAJOR.MINOR.PATCH in quotes",
        },
      ],
      requestId: "01J9Z3N2Q4W5E6R7T8Y9U0P1A2",
      timestamp: "2026-03-01T10:15:30.123Z",
    },
  } satisfies ErrorBody,
  "error.plain": {
    error: {
      code: "AUTH_REQUIRED",
      message: "A bearer token is required.",
      details: [],
      requestId: "r-1",
      timestamp: "2026-03-01T10:15:30Z",
    },
  } satisfies ErrorBody,
  "event.least": {
    id: "01J9Z3N2Q4W5E6R7T8Y9U0P1A2",
    type: "story.created",
    version: 1,
    occurred_at: "2026-03-01T10:15:30Z",
    tenant_id: "family-lindqvist",
    resource: { kind: "story", id: "st_1" },
    payload: {},
  } satisfies DomainEvent,
  "event.nobody": {
    id: "01J9Z3N2Q4W5E6R7T8Y9U0P1A2",
    type: "legacy.created",
    version: 1,
    occurred_at: "2026-03-01T10:15:30Z",
    tenant_id: "family-lindqvist",
    resource: { kind: "legacy", id: "leg_1" },
    payload: {},
    actor_id: null,
    correlation_id: null,
  } satisfies DomainEvent,
  "event.whole": {
    id: "01J9Z3N2Q4W5E6R7T8Y9U0P1A2",
    type: "story_reaction.toggled",
    version: 1,
    occurred_at: "2026-03-01T10:15:30.123456Z",
    tenant_id: "family-lindqvist",
    resource: { kind: "story", id: "st_1" },
    payload: { story_id: "st_1", legacy_ids: ["leg_1"], reaction: "candle", active: true },
    source: "core",
    actor_id: "user:u_7",
    correlation_id: "req-9",
    from_a_later_version: [1, 2],
  } satisfies DomainEvent,
  "job.asked": {
    name: "erase",
    description: "Forgets a person.",
    schedule: null,
    timezone: "UTC",
    scope: "tenant",
    params: null,
  } satisfies JobSpec,
  "job.least": {
    name: "erase",
    description: "Forgets a person.",
    schedule: null,
    timezone: "UTC",
    scope: "tenant",
  } satisfies JobSpec,
  "job.scheduled": {
    name: "rollup.refresh",
    description: "Keeps the counts true.",
    schedule: "*/5 * * * *",
    timezone: "Europe/Stockholm",
    scope: "instance",
    params: { type: "object", properties: { days: { type: "integer", minimum: 1 } } },
  } satisfies JobSpec,
  "manifest.least": leastManifest,
  "manifest.whole": {
    name: "letters-home",
    version: "1.10.0-rc.1+build.7",
    compat: { core: ">=2.1 <3.0", backend_sdk: "1.4", frontend_sdk: ">=1.2 <2.0" },
    ui: {
      mode: "ModuleFederation",
      remotePath: "/mf/remoteEntry.js",
      contributions: {
        panels: [
          { id: "letters.panel", title: "Letters" },
          { id: "letters.small", title: "Letters, small", component: "Small#panel" },
        ],
        routes: [{ path: "/letters-home/box", component: "Routes#BoxPage" }],
        commands: [{ id: "letters.write", title: "Write a letter", component: "Commands#write" }],
        contextMenus: [
          {
            id: "letters.keep",
            title: "Keep as a letter",
            target: "story",
            component: "Commands#keep",
          },
        ],
      },
    },
    endpoints: { basePath: "/v1" },
    health: { livenessPath: "/healthz", readinessPath: "/readyz" },
    title: "Letters home",
    capabilities: [
      "http:outbound",
      "events:publish",
      "events:subscribe",
      "db:read",
      "jobs:schedule",
      "secrets:read",
    ],
    configSchema: {
      type: "object",
      additionalProperties: false,
      properties: { LETTERS_LIMIT: { type: "integer", minimum: 1, default: 20 } },
    },
    secrets: ["REG_TOKEN", "LETTERS_KEY"],
    permissions: { network: { egressAllow: ["post.example.org:443"] } },
  } satisfies Manifest,
  "message.plain": { type: "letters.sent", payload: { count: 3 } } satisfies TopicMessage,
  "registered.least": {
    data: {
      id: "letters",
      state: "Ready",
      core: { version: "2.1.0" },
      capabilities: { granted: [], refused: [] },
      scheduler: false,
    },
  } satisfies Registered,
  "registered.whole": {
    data: {
      id: "letters",
      state: "Registering",
      core: { version: "2.1.0" },
      capabilities: {
        granted: ["events:publish"],
        refused: [
          { capability: "db:read", reason: "this core's policy does not allow it for this plugin" },
        ],
      },
      egressProxyUrl: "http://core:8080/",
      scheduler: true,
    },
  } satisfies Registered,
  "registration.least": {
    manifest: leastManifest,
    serviceUrl: "http://127.0.0.1:7001",
    ui: { remoteUrl: "http://127.0.0.1:7001/mf/remoteEntry.js" },
  } satisfies RegistrationRequest,
  "registration.whole": {
    manifest: leastManifest,
    serviceUrl: "https://letters.plugins.svc.cluster.local",
    ui: {
      remoteUrl: "https://letters.plugins.svc.cluster.local/mf/0011223344556677/remoteEntry.js",
      integrity: `sha384-${"A".repeat(64)}`,
    },
    sdk: { backend: "1.4.0", frontend: "1.2.0" },
  } satisfies RegistrationRequest,
};

const SCHEMAS = "sdk/schema";
const FOLDER = `${SCHEMAS}/samples`;
const PLACES: Record<string, string> = {
  manifest: "plugin.schema.json",
  event: "event.schema.json",
  job: "job.schema.json",
  error: "error.schema.json",
};

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

function names(folder: "good" | "bad"): string[] {
  return readdirSync(`${FOLDER}/${folder}`).map((name) => name.replace(/\.json$/, ""));
}

function validators(): Record<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
  addFormats(ajv);
  return Object.fromEntries(
    Object.entries(PLACES).map(([kind, file]) => [
      kind,
      ajv.compile(read(`${SCHEMAS}/${file}`) as AnySchema),
    ]),
  );
}

const schemas = validators();
const kindOf = (name: string): string => name.split(".")[0] ?? "";
const hasSchema = (name: string): boolean => kindOf(name) in schemas;

describe("a good sample", () => {
  it.each(names("good"))("%s is a value of its type", (name) => {
    expect(read(`${FOLDER}/good/${name}.json`)).toEqual(SAMPLES[name]);
  });

  it.each(names("good").filter(hasSchema))("%s keeps its schema", (name) => {
    const validate = schemas[kindOf(name)];
    validate?.(SAMPLES[name]);
    expect(validate?.errors).toBeNull();
  });

  it("stands in a file for each value, and the other way round", () => {
    expect(names("good").sort()).toEqual(Object.keys(SAMPLES).sort());
  });
});

describe("a bad sample", () => {
  it.each(names("bad").filter(hasSchema))("%s breaks its schema", (name) => {
    expect(schemas[kindOf(name)]?.(read(`${FOLDER}/bad/${name}.json`))).toBe(false);
  });

  it("is no value of its type", () => {
    // @ts-expect-error -- a number, as YAML reads `version: 1.1`
    ({ ...leastManifest, version: 1.1 }) satisfies Manifest;
    // @ts-expect-error -- a capability that nobody knows
    ({ ...leastManifest, capabilities: ["world:rule"] }) satisfies Manifest;
    // @ts-expect-error -- an actor of no kind
    ({ ...(SAMPLES["event.least"] as DomainEvent), actor_id: "u_7" }) satisfies DomainEvent;
    // @ts-expect-error -- a scope that is none
    ({ ...(SAMPLES["job.least"] as JobSpec), scope: "galaxy" }) satisfies JobSpec;
    expect(names("bad").length).toBeGreaterThan(20);
  });
});

it("a manifest's contributions are read without a complaint", () => {
  const { name, ui } = SAMPLES["manifest.whole"] as Manifest;
  expect(readContributions(name, ui.contributions).problems).toEqual([]);
});
