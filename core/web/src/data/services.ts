/** Everything the shell lives from, made once for a page. */
import {
  createHttp,
  createQueryCache,
  type Envelope,
  type Http,
  type QueryCache,
} from "@mosaiclife/plugin-sdk";
import {
  createEventStream,
  createNames,
  createPluginHost,
  type EventStream,
  type PluginHost,
  type Remotes,
} from "@mosaiclife/plugin-sdk/host";

export interface Services {
  http: Http;
  cache: QueryCache;
  events: EventStream;
  host: PluginHost;
}

export interface ServiceParts {
  remotes: Remotes;
  events?: EventStream;
  /** Show a page of the shell. */
  open: (path: string) => void;
  fetch?: typeof fetch;
}

/** Wire the shell to core's API. */
export function createServices({ remotes, events, open, fetch: ask }: ServiceParts): Services {
  const fetching = ask === undefined ? {} : { fetch: ask };
  const http = createHttp({ base: "/api", ...fetching });
  const stream = events ?? createEventStream({ url: "/api/events/stream" });
  const names = createNames({ load: (ids) => askNames(http, ids) });
  const page = { events: stream, names, open, ...fetching };
  const host = createPluginHost({ remotes, page });
  return { http, cache: createQueryCache(http.conditional), events: stream, host };
}

async function askNames(http: Http, ids: readonly string[]): Promise<Record<string, string>> {
  const body = { ids };
  const answer = await http.request<Envelope<Record<string, string>>>("/names", {
    method: "POST",
    body,
  });
  return answer.data;
}
