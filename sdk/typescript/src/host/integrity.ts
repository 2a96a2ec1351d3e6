/** Let a remote's entry run only when its bytes are the announced ones. */

const FORM = /^sha(256|384|512)-[A-Za-z0-9+/]+={0,2}$/;

/** True for a hash that browsers honour. They ignore any other, and would run whatever came. */
export function isIntegrity(text: string): boolean {
  return FORM.test(text);
}

/** Make the script element that loads *url*, pinned to *integrity* when there is one. */
export function createPinnedScript(url: string, integrity: string | undefined): HTMLScriptElement {
  const script = document.createElement("script");
  script.src = url;
  script.async = true;
  script.crossOrigin = "anonymous";
  if (integrity !== undefined) script.integrity = integrity;
  return script;
}

/** What a second look at a script that did not load has shown. */
export type Verdict = "mismatch" | "unreachable" | "sound";

/**
 * Tell a refused script from a missing one. A script element only says "error"; two requests
 * say more: a plain one shows whether it is there, a pinned one whether it is what was announced.
 */
export async function examine(
  url: string,
  integrity: string | undefined,
  ask: typeof fetch = fetch,
): Promise<Verdict> {
  if (!(await arrives(url, {}, ask))) return "unreachable";
  if (integrity === undefined) return "sound";
  return (await arrives(url, { integrity }, ask)) ? "sound" : "mismatch";
}

async function arrives(url: string, pin: RequestInit, ask: typeof fetch): Promise<boolean> {
  try {
    const response = await ask(url, { ...pin, credentials: "same-origin" });
    // The hash is compared when the body is complete, not before.
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
