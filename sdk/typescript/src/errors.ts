/**
 * What can go wrong between a page and its plugin.
 *
 *     Error
 *     ├── SdkHttpError   an answer other than success, an unreadable one, or none at all
 *     └── RemoteError    a remote that could not be loaded (host only)
 */

/** One complaint about one part of a request. */
export interface ErrorDetail {
  field?: string;
  message: string;
}

export interface HttpFailure {
  /** 0 when no answer arrived. */
  status: number;
  /** The platform's code, or one of `UNREACHABLE`, `TIMEOUT`, `MALFORMED_RESPONSE`, `HTTP_<status>`. */
  code: string;
  message: string;
  details?: readonly ErrorDetail[];
  requestId?: string | undefined;
  /** Seconds to wait before asking again, when the answer said so. */
  retryAfter?: number | undefined;
}

const HTTP_BRAND = Symbol.for("@mosaiclife/plugin-sdk/SdkHttpError");

/** A request that did not succeed. */
export class SdkHttpError extends Error {
  override readonly name = "SdkHttpError";
  readonly status: number;
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(failure: HttpFailure, options?: ErrorOptions) {
    super(failure.message, options);
    Object.defineProperty(this, HTTP_BRAND, { value: true });
    this.status = failure.status;
    this.code = failure.code;
    this.details = failure.details ?? [];
    this.requestId = failure.requestId;
    this.retryAfter = failure.retryAfter;
  }

  /** True when the same request may succeed later without a change. */
  get transient(): boolean {
    return TRANSIENT.has(this.status);
  }

  /** Host and remote bundle this class apart; `instanceof` holds between the two by the brand. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && HTTP_BRAND in value;
  }
}

const TRANSIENT: ReadonlySet<number> = new Set([0, 429, 502, 503, 504]);

/** Why a remote is not there, for people and for logs. */
export type RemoteFailure =
  | "integrity"
  | "csp"
  | "unreachable"
  | "wrong-container"
  | "missing-module"
  | "missing-export"
  | "bad-contribution"
  | "version"
  | "chunk"
  | "timeout"
  | "unloaded"
  | "failed";

/** A remote, or a part of it, that could not be loaded. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly kind: RemoteFailure;
  readonly pluginId: string;

  constructor(pluginId: string, kind: RemoteFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.pluginId = pluginId;
    this.kind = kind;
  }
}
