/** What the plugin offers in the command palette and in menus (spec §4). Exposed as `./Commands`. */
import type { CommandRun, MenuRun } from "@mosaiclife/plugin-sdk";
import { pageHref } from "./identity";

/** Show the page, with the first legacy. */
export const openPage: CommandRun = ({ sdk }) => sdk.ui.open(pageHref());

/** Show the page with the legacy that the menu was opened on, over all its years. */
export const seeRhythm: MenuRun = ({ id }, { sdk }) => sdk.ui.open(pageHref(id, { over: "all" }));
