/** Make the SDK of one plugin, from which everything it holds can be taken back. */
import { createQueryCache } from "../cache.ts";
import { createHttp } from "../http.ts";
import type { Events, Names, SDK, Ui } from "../types.ts";

export interface PageServices {
  events: Events;
  names: Names;
  /** Show a page of the application; the browser loads it anew unless said otherwise. */
  open?: (path: string) => void;
  /** Core's API; `/api` unless said otherwise. */
  api?: string;
  fetch?: typeof fetch;
}

export interface PluginSdk {
  sdk: SDK;
  /** End the plugin's subscriptions and requests. */
  dispose(): void;
}

/** Create the SDK of the plugin *id* over the page's services. */
export function createPluginSdk(id: string, page: PageServices, ui: Ui): PluginSdk {
  const base = `${page.api ?? "/api"}/plugins/${id}/proxy`;
  const http = createHttp(page.fetch === undefined ? { base } : { base, fetch: page.fetch });
  const cache = createQueryCache(http.conditional);
  const held = holdSubscriptions(page.events);
  return {
    sdk: { events: held.events, http, names: page.names, ui, cache },
    dispose() {
      held.release();
      cache.clear();
    },
  };
}

function holdSubscriptions(events: Events): { events: Events; release: () => void } {
  const held = new Set<() => void>();
  return {
    events: {
      subscribe(topic, handler) {
        const end = events.subscribe(topic, handler);
        const release = () => {
          held.delete(release);
          end();
        };
        held.add(release);
        return release;
      },
    },
    release() {
      for (const release of [...held]) release();
    },
  };
}
