/** Keep the open page true: plugins come and go, core goes away and returns, people come back. */
import type { Envelope } from "@mosaiclife/plugin-sdk";
import type { PluginRecord } from "@mosaiclife/plugin-sdk/host";
import type { Services } from "./services";

/** Follow core's list of plugins until the returned function is called. */
export function followPlugins({ cache, events, host }: Services): () => void {
  let seen: unknown;
  const query = cache.query<Envelope<PluginRecord[]>>("/plugins", {
    onChange() {
      const { data } = query.snapshot;
      if (data === undefined || data === seen) return;
      seen = data;
      host.reconcile(data.data);
    },
  });
  const end = events.subscribe("plugin.changed", () => void query.refresh());
  return () => {
    end();
    query.dispose();
  };
}

/** Ask again for everything shown after the line was lost, and when somebody returns to the page. */
export function followPresence({ cache, events, host }: Services): () => void {
  const catchUp = () => {
    void cache.revalidate();
    void host.revalidate();
  };
  const onVisible = () => {
    if (document.visibilityState === "visible") catchUp();
  };
  let wasAway = false;
  const end = events.onConnection((connection) => {
    if (connection === "open" && wasAway) catchUp();
    wasAway ||= connection === "away";
    if (connection === "open") wasAway = false;
  });
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    end();
    document.removeEventListener("visibilitychange", onVisible);
  };
}
