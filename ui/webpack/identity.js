import { readFileSync } from "node:fs";
import { parse } from "yaml";

const MANIFEST = new URL("../../plugin.yaml", import.meta.url);

/** Read who this plugin is from its manifest, the only file that says so (spec §9). */
export function readIdentity(manifest = MANIFEST) {
  const { name, title, version, ui } = parse(readFileSync(manifest, "utf8"));
  const [panel] = ui.contributions.panels;
  const [route] = ui.contributions.routes;
  const container = `plugin_${name.replaceAll("-", "_")}`;
  return { id: name, title, version, container, panel, route };
}

/** Name one build. Two builds under one name would run each other's chunks (ADR integrity). */
export function uniqueName({ container, version }, build = "") {
  return [container, version, build].filter(Boolean).join("_");
}

/** The identity as constants for the sources, for webpack and vitest alike. */
export function identityConstants({ id, panel, route } = readIdentity()) {
  return {
    PLUGIN_ID: JSON.stringify(id),
    PANEL_ID: JSON.stringify(panel.id),
    PANEL_TITLE: JSON.stringify(panel.title),
    ROUTE_PATH: JSON.stringify(route.path),
  };
}
