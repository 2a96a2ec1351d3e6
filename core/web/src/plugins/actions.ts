/** What plugins offer to do, ready to be chosen (spec §4). */
import type { ActionContext, MenuTarget, SDK } from "@mosaiclife/plugin-sdk";
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import type { Session } from "../data/model";
import { timezoneOf } from "./place";

export interface Action {
  key: string;
  title: string;
  /** Whose it is, or what kind of thing it leads to. */
  source: string;
  run: () => void | Promise<void>;
}

type Plugins = readonly HostedPlugin[];

/** List the commands of all plugins. What they do is fetched when one is chosen. */
export function commandsOf(plugins: Plugins, session: Session): Action[] {
  return offersOf(plugins, ({ commands }) => commands).map(({ offer, sdk, ...action }) => ({
    ...action,
    run: async () => (await offer.lifecycle.ready())(contextOf(sdk, session)),
  }));
}

/** List what plugins offer to do with *target*. */
export function menuOf(plugins: Plugins, session: Session, target: MenuTarget): Action[] {
  const fitting = ({ contextMenus }: HostedPlugin) =>
    contextMenus.filter((menu) => menu.target === target.kind);
  return offersOf(plugins, fitting).map(({ offer, sdk, ...action }) => ({
    ...action,
    run: async () => (await offer.lifecycle.ready())(target, contextOf(sdk, session)),
  }));
}

function offersOf<T extends { id: string; title: string }>(
  plugins: Plugins,
  choose: (plugin: HostedPlugin) => readonly T[],
) {
  return plugins.flatMap((plugin) => {
    const { id, title: source, sdk } = plugin;
    if (sdk === undefined) return [];
    return choose(plugin).map((offer) => {
      return { key: `${id}/${offer.id}`, title: offer.title, source, sdk, offer };
    });
  });
}

function contextOf(sdk: SDK, session: Session): ActionContext {
  const { tenantId, locale } = session;
  return { sdk, tenantId, locale, timezone: timezoneOf(session) };
}
