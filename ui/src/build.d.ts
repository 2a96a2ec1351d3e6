/** What the build puts in (webpack/identity.js): the plugin's own names, read from its manifest. */
declare const PLUGIN_ID: string;
declare const PANEL_ID: string;
declare const PANEL_TITLE: string;
declare const ROUTE_PATH: string;

declare module "*.css" {
  const sheet: CSSStyleSheet;
  export { sheet as default };
}
