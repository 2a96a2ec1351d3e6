/** Hand an error to the page's own error channel, without stopping what was under way. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
