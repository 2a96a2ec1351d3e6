/** A page of the shell over a core that the test plays. */
import type { Panel } from "@mosaiclife/plugin-sdk";
import type {
  Connection,
  EventStream,
  ModuleExports,
  PluginRecord,
  Remotes,
} from "@mosaiclife/plugin-sdk/host";
import { act, render, screen, type RenderResult } from "@testing-library/react";
import { App } from "./App";
import { followPlugins, followPresence } from "./data/follow";
import type { Session } from "./data/model";
import { createServices, type Services } from "./data/services";
import { createRouter } from "./frame/router";

export const ASTRID = {
  id: "01astrid",
  name: "Astrid Holm",
  role: "creator",
  birthDate: "1931-04-02",
  passingDate: "2019-11-08",
};

export const SESSION: Session = {
  user: { id: "u1", name: "Ingrid" },
  tenantId: "family",
  locale: "en-GB",
  timezone: "Europe/Stockholm",
  legacies: [ASTRID, { id: "01erik", name: "Erik Holm", role: "admirer" }],
};

/** A plugin as core lists it; *build* names the version of its remote. */
export function recordOf(
  id: string,
  build = "1",
  change: Partial<PluginRecord> = {},
): PluginRecord {
  const contributions = {
    panels: [{ id: `${id}.panel`, title: `${id} panel` }],
    routes: [{ path: `/${id}`, component: "Routes#Page" }],
  };
  const ui = { entryUrl: `/mf/${id}/${build}/remoteEntry.js`, integrity: null, contributions };
  return { id, title: id, version: "1.0.0", state: "Ready", reason: null, ui, ...change };
}

/** A panel that writes *text* and the legacy's name. */
export function panelOf(text: string): Panel {
  let place: HTMLElement | undefined;
  return {
    id: text,
    title: text,
    mount(el, { legacyName }) {
      place = el;
      el.textContent = `${text} of ${legacyName ?? "all"}`;
    },
    unmount: () => place?.replaceChildren(),
  };
}

type Answer = { status?: number; body?: unknown };

export interface FakePage {
  services: Services;
  view: RenderResult;
  /** What core answers by `METHOD path`; a missing one is 404. */
  answers: Record<string, () => Answer>;
  /** The modules of each remote by its address. */
  remotes: Record<string, Record<string, ModuleExports>>;
  asked: { method: string; path: string; body: unknown }[];
  plugins: PluginRecord[];
  /** Publish *payload* under *topic*. */
  emit(topic: string, payload?: unknown): Promise<void>;
  connection(state: Connection): Promise<void>;
  /** Let core list *records* from now on, and say so. */
  list(...records: PluginRecord[]): Promise<void>;
  stop(): void;
}

type PressedRole = "link" | "button" | "menuitem" | "option";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Open *path* in a page over a played core. */
export async function openPage(path: string, plugins: PluginRecord[] = []): Promise<FakePage> {
  window.history.replaceState(null, "", path);
  const stream = fakeEvents();
  const fake: Pick<FakePage, "answers" | "remotes" | "asked" | "plugins"> = {
    answers: {},
    remotes: {},
    asked: [],
    plugins,
  };
  fake.answers["GET /session"] = () => ({ body: SESSION });
  fake.answers["GET /plugins"] = () => ({ body: fake.plugins });
  fake.answers["GET /legacies/01astrid"] = () => ({ body: { ...ASTRID, stories: [] } });
  for (const { id, ui } of plugins) {
    const Page = () => <p>page of {id}</p>;
    if (ui !== null) {
      fake.remotes[ui.entryUrl] = { Panel: { panel: panelOf(id) }, Routes: { Page } };
    }
  }
  const router = createRouter();
  const services = createServices({
    remotes: fakeRemotes(fake.remotes),
    events: stream.events,
    open: (to) => router.navigate(to),
    fetch: fakeFetch(fake),
  });
  const ends = [followPlugins(services), followPresence(services), () => router.stop()];
  const view = render(<App services={services} router={router} />);
  await act(settled);
  return Object.assign(fake, {
    services,
    view,
    emit: (topic: string, payload?: unknown) =>
      act(async () => {
        stream.emit(topic, payload);
        await settled();
      }),
    connection: (state: Connection) =>
      act(async () => {
        stream.move(state);
        await settled();
      }),
    async list(...records: PluginRecord[]) {
      fake.plugins = records;
      await act(async () => {
        stream.emit("plugin.changed", {});
        await settled();
      });
    },
    stop() {
      for (const end of ends) end();
      view.unmount();
    },
  });
}

/** Press the link, or whatever has *role*, called *name*. */
export async function press(name: string | RegExp, role: PressedRole = "link") {
  await act(async () => {
    screen.getByRole(role, { name }).click();
    await settled();
  });
}

function fakeFetch(page: Pick<FakePage, "answers" | "asked">): typeof fetch {
  return async (input, init) => {
    const method = init?.method ?? "GET";
    const url = input instanceof Request ? input.url : input.toString();
    const path = url.replace(/^\/api/, "");
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : undefined;
    page.asked.push({ method, path, body });
    await Promise.resolve();
    const answer = page.answers[`${method} ${path}`]?.() ?? { status: 404 };
    const { status = 200 } = answer;
    const error = { error: { code: "FAKE", message: "no", details: [] } };
    const said = status < 400 ? { data: answer.body, meta: {} } : (answer.body ?? error);
    return new Response(JSON.stringify(said), { status });
  };
}

function fakeRemotes(modules: FakePage["remotes"]): Remotes {
  return {
    register: ({ id, url }) => ({
      id,
      load(name) {
        const found = modules[url]?.[name];
        return found ? Promise.resolve(found) : Promise.reject(new Error(`${name} is away`));
      },
      dispose: () => undefined,
    }),
  };
}

function fakeEvents() {
  const handlers = new Set<{ topic: string; handler: (msg: unknown) => void }>();
  const watchers = new Set<(connection: Connection) => void>();
  const events: EventStream = {
    connection: "open",
    subscribe(topic, handler) {
      const hold = { topic, handler };
      handlers.add(hold);
      return () => void handlers.delete(hold);
    },
    onConnection(handler) {
      watchers.add(handler);
      return () => void watchers.delete(handler);
    },
    close: () => undefined,
  };
  return {
    events,
    emit(topic: string, payload: unknown) {
      for (const hold of [...handlers]) if (hold.topic === topic) hold.handler(payload);
    },
    move(connection: Connection) {
      for (const watcher of [...watchers]) watcher(connection);
    },
  };
}
