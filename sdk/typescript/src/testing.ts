/** A core for tests: the real client and cache over answers given in advance. */
import { createQueryCache } from "./cache.ts";
import { createHttp } from "./http.ts";
import type {
  CommandContribution,
  ContextMenuContribution,
  MenuTarget,
  Panel,
  RouteContribution,
  SDK,
} from "./types.ts";

export interface FakeRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: unknown;
}

const REPLY = Symbol("reply");

/** An answer with more than a body; made by `reply`. */
export interface FakeReply {
  readonly [REPLY]: true;
  status: number;
  body: unknown;
  headers: Readonly<Record<string, string>>;
}

/** Give a status and headers to an answer. A string body is sent as it is, without JSON. */
export function reply(
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): FakeReply {
  return { [REPLY]: true, status, body, headers };
}

/** Give *responses* one after the other; the last one stays. */
export function inTurn(...responses: readonly FakeResponse[]): FakeResponse {
  let next = 0;
  return (request: FakeRequest) => {
    const response = responses[Math.min(next, responses.length - 1)];
    next += 1;
    return isMaker(response) ? response(request) : response;
  };
}

/** A body, a `reply`, or a function that makes one of them. */
export type FakeResponse = unknown;

export interface FakeSdkOptions {
  /** By path, with or without its query, optionally after a method: `"POST /v1/jobs/run"`. */
  responses?: Readonly<Record<string, FakeResponse>>;
  names?: Readonly<Record<string, string>>;
}

export interface FakeSdk extends SDK {
  /** What was asked, oldest first. */
  readonly requests: readonly FakeRequest[];
  readonly registered: {
    panels: Panel[];
    routes: RouteContribution[];
    commands: CommandContribution[];
    contextMenus: ContextMenuContribution[];
  };
  /** The pages that the plugin had shown, oldest first. */
  readonly opened: readonly string[];
  /** Answer *path* with *response* from now on. */
  respond(path: string, response: FakeResponse): void;
  /** Publish *message* to the subscribers of *topic*. */
  emit(topic: string, message?: unknown): void;
  /** How many subscriptions are open, to *topic* or to any. */
  subscriptions(topic?: string): number;
  /** The registered command *id*, or entry of a menu: do what it does, as a page would. */
  choose(id: string, target?: MenuTarget): Promise<void>;
}

/** Create an SDK that answers from *responses*; a path without an answer is 404. */
export function createFakeSdk(options: FakeSdkOptions = {}): FakeSdk {
  const responses = new Map(Object.entries(options.responses ?? {}));
  const requests: FakeRequest[] = [];
  const handlers: { topic: string; handler: (message: unknown) => void }[] = [];

  const answer: typeof fetch = async (input, init) => {
    const request = describe(input, init);
    requests.push(request);
    await Promise.resolve();
    init?.signal?.throwIfAborted();
    return respondTo(request, responses);
  };
  const http = createHttp({ base: "", fetch: answer });
  const opened: string[] = [];
  const registered: FakeSdk["registered"] = {
    panels: [],
    routes: [],
    commands: [],
    contextMenus: [],
  };

  const sdk: FakeSdk = {
    http,
    cache: createQueryCache(http.conditional),
    events: {
      subscribe(topic, handler) {
        const entry = { topic, handler: handler as (message: unknown) => void };
        handlers.push(entry);
        return () => {
          const at = handlers.indexOf(entry);
          if (at >= 0) handlers.splice(at, 1);
        };
      },
    },
    names: {
      resolve: (ids) => Promise.resolve(knownNames(ids, options.names ?? {})),
    },
    ui: {
      registerPanel: (panel) => void registered.panels.push(panel),
      registerRoute: (route) => void registered.routes.push(route),
      registerCommand: (command) => void registered.commands.push(command),
      registerContextMenu: (menu) => void registered.contextMenus.push(menu),
      open: (path) => void opened.push(path),
    },
    requests,
    registered,
    opened,
    respond: (path, response) => void responses.set(path, response),
    emit(topic, message) {
      for (const entry of handlers.filter((one) => one.topic === topic)) entry.handler(message);
    },
    subscriptions: (topic) =>
      handlers.filter((one) => topic === undefined || one.topic === topic).length,
    choose: (id, target) => choose(sdk, id, target),
  };
  return sdk;
}

async function choose(sdk: FakeSdk, id: string, target?: MenuTarget): Promise<void> {
  const context = { sdk, tenantId: "tenant", locale: "en" };
  const { commands, contextMenus } = sdk.registered;
  const menu = [...contextMenus]
    .reverse()
    .find((one) => one.id === id && one.target === target?.kind);
  const command = [...commands].reverse().find((one) => one.id === id);
  if (target !== undefined && menu !== undefined) await menu.run(target, context);
  else if (target === undefined && command !== undefined) await command.run(context);
  else throw new Error(`nothing was registered as ${id} for ${target?.kind ?? "the palette"}`);
}

function knownNames(ids: readonly string[], names: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(names).filter(([id]) => ids.includes(id)));
}

function describe(input: Parameters<typeof fetch>[0], init: RequestInit = {}): FakeRequest {
  return {
    method: init.method ?? "GET",
    path: input instanceof Request ? input.url : input.toString(),
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
  };
}

function respondTo(request: FakeRequest, responses: ReadonlyMap<string, FakeResponse>): Response {
  const [bare = ""] = request.path.split("?", 1);
  const keys = [request.path, bare].flatMap((path) => [`${request.method} ${path}`, path]);
  const key = keys.find((candidate) => responses.has(candidate));
  if (key === undefined) return toResponse(notFound(request));
  const found = responses.get(key);
  const made: unknown = isMaker(found) ? found(request) : found;
  return toResponse(isReply(made) ? made : reply(200, made));
}

function isMaker(value: unknown): value is (request: FakeRequest) => unknown {
  return typeof value === "function";
}

function isReply(value: unknown): value is FakeReply {
  return typeof value === "object" && value !== null && REPLY in value;
}

function toResponse({ status, body, headers }: FakeReply): Response {
  const empty = body === undefined || status === 204 || status === 304;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(empty ? null : text, { status, headers: { ...headers } });
}

function notFound({ method, path }: FakeRequest): FakeReply {
  const message = `no response was given for ${method} ${path}`;
  return reply(404, { error: { code: "NOT_FOUND", message, details: [] } });
}
