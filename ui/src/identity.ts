/** Who this plugin is, from its manifest; nothing in the sources spells it. */
export const pluginId = PLUGIN_ID;
export const panelId = PANEL_ID;
export const panelTitle = PANEL_TITLE;
export const routePath = ROUTE_PATH;

/** Where the host shows the page, for one legacy or for the first one. */
export function pageHref(legacyId?: string): string {
  const page = `/plugins${routePath}`;
  return legacyId === undefined ? page : `${page}?legacy=${encodeURIComponent(legacyId)}`;
}

/** Name a part for tests; unique in a page that holds several plugins. */
export function testId(part: string): string {
  return `${pluginId}-${part}`;
}
