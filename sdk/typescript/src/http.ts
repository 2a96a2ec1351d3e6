/** Ask the plugin's backend, through core, and turn every failure into one kind of error. */
import type { Conditional, Load } from "./cache.ts";
import { SdkHttpError, type ErrorDetail } from "./errors.ts";
import type { Http, RequestOptions } from "./types.ts";

export interface HttpOptions {
  /** Put before every path, for example `/api/plugins/some-plugin/proxy`. */
  base: string;
  fetch?: typeof fetch;
  timeoutMs?: number;
}

export interface HttpClient extends Http {
  /** Ask with `If-None-Match`; made for `createQueryCache`. */
  conditional: Load;
}

const DEFAULT_TIMEOUT_MS = 15_000;

/** Create a client for the paths below *base*. */
export function createHttp(options: HttpOptions): HttpClient {
  const { base, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const send = options.fetch ?? ((input, init) => globalThis.fetch(input, init));

  async function exchange(path: string, ask: RequestOptions): Promise<Answer> {
    const url = base + checkedPath(path);
    const limit = deadline(ask.timeoutMs ?? timeoutMs, ask.signal);
    try {
      const response = await send(url, { ...requestInit(ask), signal: limit.signal });
      return { response, text: await response.text() };
    } catch (cause) {
      throw noAnswer(cause, limit.expired(), ask.signal);
    } finally {
      limit.clear();
    }
  }

  async function request<T>(path: string, ask: RequestOptions = {}): Promise<T> {
    return bodyOf(await exchange(path, ask)) as T;
  }

  async function conditional(
    path: string,
    { etag, signal }: Parameters<Load>[1],
  ): Promise<Conditional<unknown>> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await exchange(path, { headers, signal });
    if (answer.response.status === 304) return { modified: false };
    const tag = answer.response.headers.get("etag") ?? undefined;
    return { modified: true, body: bodyOf(answer), etag: tag };
  }

  return { get: (path) => request(path), request, conditional };
}

export type QueryValue = string | number | boolean | null | undefined | readonly string[];

/** Append *parameters* to *path*, encoded; empty ones are left out and lists repeat their key. */
export function withQuery(path: string, parameters: Readonly<Record<string, QueryValue>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    for (const item of listOf(value)) query.append(key, String(item));
  }
  const text = query.toString();
  if (text === "") return path;
  return path + (path.includes("?") ? "&" : "?") + text;
}

function listOf(value: QueryValue): readonly (string | number | boolean)[] {
  if (value === null || value === undefined) return [];
  return typeof value === "object" ? value : [value];
}

interface Answer {
  response: Response;
  text: string;
}

/** Keep a path below its base: a plugin talks to its own backend and to nothing else. */
function checkedPath(path: string): string {
  const [name = ""] = path.split("?", 1);
  const climbs = /(^|\/|%2f)(\.|%2e){1,2}($|\/|%2f)/i.test(name);
  if (!path.startsWith("/") || path.startsWith("//") || /[\\#\s]/.test(path) || climbs) {
    throw new TypeError(`"${path}" is not a path of the plugin; it begins with one "/"`);
  }
  return path;
}

function requestInit({ method = "GET", body, headers }: RequestOptions): RequestInit {
  const all: Record<string, string> = { accept: "application/json", ...headers };
  const init: RequestInit = { method, headers: all, credentials: "same-origin" };
  if (body === undefined) return init;
  all["content-type"] ??= "application/json";
  return { ...init, body: JSON.stringify(body) };
}

/** A signal that ends when the caller's does or when *ms* have passed. */
function deadline(ms: number, outer: AbortSignal | undefined) {
  const inner = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    inner.abort();
  }, ms);
  const forward = () => inner.abort(outer?.reason);
  if (outer?.aborted) forward();
  outer?.addEventListener("abort", forward, { once: true });
  return {
    signal: inner.signal,
    expired: () => expired,
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", forward);
    },
  };
}

/** Say what stood between us and an answer. The caller's own abort stays the caller's. */
function noAnswer(cause: unknown, expired: boolean, outer: AbortSignal | undefined): unknown {
  if (outer?.aborted) return outer.reason;
  const failure = expired
    ? { status: 0, code: "TIMEOUT", message: "No answer arrived in time." }
    : { status: 0, code: "UNREACHABLE", message: "The server could not be reached." };
  return new SdkHttpError(failure, { cause });
}

function bodyOf({ response, text }: Answer): unknown {
  if (!response.ok) throw refusal(response, text);
  if (text === "") return undefined;
  const body = parsed(text);
  if (body === undefined) {
    throw new SdkHttpError({
      status: response.status,
      code: "MALFORMED_RESPONSE",
      message: "The answer could not be read.",
      requestId: response.headers.get("x-request-id") ?? undefined,
    });
  }
  return body;
}

/** Parse JSON; undefined, which JSON cannot say, stands for what is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Read the one error shape; what does not have it still becomes an error of the same kind. */
function refusal(response: Response, text: string): SdkHttpError {
  const { status, headers } = response;
  const said = record(record(parsed(text))["error"]);
  return new SdkHttpError({
    status,
    code: textOr(said["code"], `HTTP_${status}`),
    message: textOr(said["message"], `The server answered with status ${status}.`),
    details: Array.isArray(said["details"]) ? said["details"].filter(isDetail) : [],
    requestId: textOr(said["requestId"], headers.get("x-request-id") ?? "") || undefined,
    retryAfter: retryAfter(headers.get("retry-after")),
  });
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

function isDetail(value: unknown): value is ErrorDetail {
  return typeof record(value)["message"] === "string";
}

/** Seconds from now, from either form of the header. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
