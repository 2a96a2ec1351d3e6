/** The pages one can go to, as entries of the palette. */
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import type { Session } from "../data/model";
import type { Router } from "../frame/router";
import type { Action } from "./actions";

/** List the legacies, the plugins' pages and the shell's own. */
export function placesOf(
  plugins: readonly HostedPlugin[],
  { legacies }: Session,
  router: Router,
): Action[] {
  const place = (path: string, title: string, source: string): Action => {
    return { key: path, title, source, run: () => router.navigate(path) };
  };
  const pages = plugins.flatMap(({ title, routes: [first] }) =>
    first === undefined ? [] : [place(`/plugins${first.path}`, title, "Page")],
  );
  return [
    ...legacies.map(({ id, name }) => place(`/legacies/${encodeURIComponent(id)}`, name, "Legacy")),
    place("/", "Legacies", "Page"),
    ...pages,
    place("/status", "Plugins", "Page"),
  ];
}
