/** Who this plugin is, from its manifest; nothing in the sources spells it. */
import { withQuery } from "@mosaiclife/plugin-sdk";

export const pluginId = PLUGIN_ID;
export const panelId = PANEL_ID;
export const panelTitle = PANEL_TITLE;
export const routePath = ROUTE_PATH;

/** Where the host shows the page, for one legacy or for the first one, with *choices* made. */
export function pageHref(legacyId?: string, choices: Readonly<Record<string, string>> = {}) {
  return withQuery(`/plugins${routePath}`, { legacy: legacyId, ...choices });
}

/** Name a part for tests; unique in a page that holds several plugins. */
export function testId(part: string): string {
  return `${pluginId}-${part}`;
}
