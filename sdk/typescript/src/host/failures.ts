/** Put into words why a remote is not there. */
import { RemoteError, type RemoteFailure } from "../errors.ts";
import { examine } from "./integrity.ts";

export interface FailedLoad {
  pluginId: string;
  url: string;
  integrity: string | undefined;
  /** The module that was asked for, without `./`. */
  module: string;
  /** Addresses that the page's content security policy has refused meanwhile. */
  refused: readonly string[];
}

type Sign = readonly [RemoteFailure, (text: string, failed: FailedLoad) => boolean];

/** The first sign that fits decides. The codes are those of the Module Federation runtime. */
const SIGNS: readonly Sign[] = [
  ["csp", (_, { refused, url }) => refused.some((address) => sameAddress(address, url))],
  ["version", (text) => text.includes("Unsatisfied version")],
  ["timeout", (text) => text.includes("timed out")],
  ["failed", (text) => text.includes("ScriptExecutionError")],
  ["unreachable", (text) => text.includes("RUNTIME-008")],
  ["wrong-container", (text) => /RUNTIME-00[12]/.test(text)],
  ["missing-module", (text) => /RUNTIME-014|does not exist in container/.test(text)],
  ["chunk", (text) => text.includes("ChunkLoadError")],
];

const WORDS: Readonly<Record<RemoteFailure, (failed: FailedLoad) => string>> = {
  integrity: ({ url }) => `its entry was refused: ${url} is not the file that was announced.`,
  csp: ({ url }) => `its entry was refused: the page's security policy does not allow ${url}.`,
  unreachable: ({ url }) => `its entry could not be fetched from ${url}.`,
  "wrong-container": ({ url }) => `${url} is not the container of this plugin.`,
  "missing-module": ({ module }) => `it does not expose "./${module}".`,
  "missing-export": ({ module }) => `its module "${module}" lacks an export.`,
  "bad-contribution": ({ module }) => `its module "${module}" breaks the contract.`,
  version: () => "it needs another version of a library than this page shares.",
  chunk: ({ module }) => `a file of "./${module}" did not arrive, or is not the announced one.`,
  timeout: ({ url }) => `${url} did not arrive in time.`,
  unloaded: () => "it was unloaded.",
  failed: ({ module }) => `its module "./${module}" failed while it started.`,
};

/** Turn whatever *cause* is into a `RemoteError` that says what to look at. */
export async function explain(failed: FailedLoad, cause: unknown): Promise<RemoteError> {
  if (cause instanceof RemoteError) return cause;
  const kind = await refine(recognise(failed, cause), failed);
  return failure(failed, kind, { cause });
}

/** Make the error of one kind, in its words. */
export function failure(
  failed: FailedLoad,
  kind: RemoteFailure,
  options?: ErrorOptions,
): RemoteError {
  const message = `Could not load ${failed.pluginId}: ${WORDS[kind](failed)}`;
  return new RemoteError(failed.pluginId, kind, message, options);
}

function recognise(failed: FailedLoad, cause: unknown): RemoteFailure {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return SIGNS.find(([, fits]) => fits(text, failed))?.[0] ?? "failed";
}

/** "Unreachable" is all that a script element says of a refused hash; look again. */
async function refine(kind: RemoteFailure, failed: FailedLoad): Promise<RemoteFailure> {
  if (kind !== "unreachable" || failed.integrity === undefined) return kind;
  const verdict = await examine(failed.url, failed.integrity);
  return verdict === "mismatch" ? "integrity" : kind;
}

/** Browsers shorten a refused address of another origin after a redirect; the origin must do. */
function sameAddress(refused: string, url: string): boolean {
  return refused === url || refused === new URL(url).origin;
}
