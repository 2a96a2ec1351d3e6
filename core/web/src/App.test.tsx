import { act, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPage, panelOf, press, recordOf, type FakePage } from "./testing";

let page: FakePage;

beforeEach(() => {
  // happy-dom has no viewport to scroll.
  vi.spyOn(window, "scrollTo").mockReturnValue();
});
afterEach(() => page.stop());

const slot = (id: string) => screen.getByTestId(`panel-slot-${id}.panel`);

describe("walking through the shell", () => {
  it("leads from the legacies to one life and back", async () => {
    page = await openPage("/");
    expect(document.title).toBe("Legacies · Mosaic Life");
    await press("Astrid Holm");
    expect(window.location.pathname).toBe("/legacies/01astrid");
    expect(screen.getByTestId("legacy-name").textContent).toBe("Astrid Holm");
    expect(document.title).toBe("Astrid Holm · Mosaic Life");
    expect(screen.getByText("2 April 1931 – 8 November 2019")).toBeTruthy();
    await press("Legacies");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Legacies");
  });

  it("moves the focus to the new page, and not at the first one", async () => {
    page = await openPage("/");
    expect(document.activeElement).toBe(document.body);
    await press("Astrid Holm");
    expect(document.activeElement).toBe(screen.getByRole("main"));
  });

  it("says kindly that an address leads nowhere", async () => {
    page = await openPage("/nowhere");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("There is nothing here");
  });

  it("does not show a legacy that is none", async () => {
    page = await openPage("/legacies/unknown");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("There is nothing here");
  });
});

describe("telling a memory", () => {
  async function tell(words: string) {
    const form = screen.getByTestId("story-form");
    const field = within(form).getByTestId<HTMLInputElement>("story-title");
    fireEvent.change(field, { target: { value: words } });
    await act(async () => {
      fireEvent.submit(form);
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
    return field;
  }

  it("keeps it and lists it", async () => {
    page = await openPage("/legacies/01astrid");
    page.answers["POST /legacies/01astrid/stories"] = () => ({ status: 201, body: { id: "s1" } });
    const field = await tell("  The red rowing boat ");
    expect(page.asked.find(({ method }) => method === "POST")?.body).toEqual({
      title: "The red rowing boat",
    });
    expect(screen.getByText("The red rowing boat")).toBeTruthy();
    expect(field.value).toBe("");
  });

  it("leaves the words where they are when they could not be kept", async () => {
    page = await openPage("/legacies/01astrid");
    page.answers["POST /legacies/01astrid/stories"] = () => ({ status: 503 });
    const field = await tell("The red rowing boat");
    expect(field.value).toBe("The red rowing boat");
    expect(screen.getByText(/Your words are still here/)).toBeTruthy();
  });

  it("shows what others tell meanwhile, once", async () => {
    page = await openPage("/legacies/01astrid");
    const stories = [{ id: "s9", title: "The blue bicycle" }];
    page.answers["GET /legacies/01astrid"] = () => ({ body: { name: "Astrid Holm", stories } });
    await page.emit("story.created", { legacy_ids: ["01erik"] });
    expect(screen.queryByText("The blue bicycle")).toBeNull();
    await page.emit("story.created", { legacy_ids: ["01astrid"] });
    expect(screen.getAllByText("The blue bicycle")).toHaveLength(1);
  });
});

describe("a panel", () => {
  it("stands beside the legacy and knows which one it is", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    expect(slot("demo").textContent).toBe("demo of Astrid Holm");
  });

  it("is replaced in place by a new version, while the rest of the page stays", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo"), recordOf("other")]);
    const form = screen.getByTestId("story-form");
    const neighbour = slot("other");
    page.remotes["/mf/demo/2/remoteEntry.js"] = { Panel: { panel: panelOf("newer") } };
    await page.list(recordOf("demo", "2"), recordOf("other"));
    expect(slot("demo").textContent).toBe("newer of Astrid Holm");
    expect(screen.getByTestId("story-form")).toBe(form);
    expect(slot("other")).toBe(neighbour);
  });

  it("gives way to a sentence when its plugin is turned off, and returns", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    await page.list(recordOf("demo", "1", { state: "Disabled", ui: null }));
    expect(screen.queryByTestId("panel-slot-demo.panel")).toBeNull();
    expect(screen.getByTestId("plugin-note-demo").textContent).toContain("turned off");
    expect(screen.queryByTestId("plugin-nav-demo")).toBeNull();
    await page.list(recordOf("demo"));
    expect(slot("demo").textContent).toBe("demo of Astrid Holm");
  });

  it("that cannot be loaded harms no other, and can be tried again", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    page = await openPage("/legacies/01astrid");
    page.remotes["/mf/fine/1/remoteEntry.js"] = { Panel: { panel: panelOf("fine") } };
    await page.list(recordOf("broken"), recordOf("fine"));
    expect(slot("fine").textContent).toBe("fine of Astrid Holm");
    expect(slot("broken").textContent).toContain("cannot be shown just now");
    page.remotes["/mf/broken/1/remoteEntry.js"] = { Panel: { panel: panelOf("mended") } };
    await press("Try again", "button");
    expect(slot("broken").textContent).toBe("mended of Astrid Holm");
  });

  it("that throws while it mounts leaves a sentence in its place", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    page = await openPage("/legacies/01astrid");
    const mount = () => {
      throw new Error("mount");
    };
    page.remotes["/mf/bad/1/remoteEntry.js"] = { Panel: { panel: { ...panelOf("bad"), mount } } };
    await page.list(recordOf("bad"));
    expect(slot("bad").textContent).toContain("cannot be shown just now");
  });
});

describe("a page of a plugin", () => {
  it("is reached from the header and lies below the plugin's id", async () => {
    page = await openPage("/", [recordOf("demo")]);
    await press("demo");
    expect(window.location.pathname).toBe("/plugins/demo");
    expect(screen.getByTestId("plugin-page").textContent).toBe("page of demo");
    expect(screen.getByTestId("plugin-nav-demo").getAttribute("aria-current")).toBe("page");
  });

  it("is replaced in place by a new version", async () => {
    page = await openPage("/plugins/demo/more", [recordOf("demo")]);
    page.remotes["/mf/demo/2/remoteEntry.js"] = { Routes: { Page: () => <p>newer</p> } };
    await page.list(recordOf("demo", "2"));
    expect(screen.getByTestId("plugin-page").textContent).toBe("newer");
  });

  it("that throws leaves a sentence, and the shell stands", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    page = await openPage("/plugins/demo");
    const Page = () => {
      throw new Error("render");
    };
    page.remotes["/mf/demo/1/remoteEntry.js"] = { Routes: { Page } };
    await page.list(recordOf("demo"));
    expect(screen.getByTestId("plugin-page").textContent).toContain("cannot be shown just now");
    await press("Legacies");
    expect(screen.getByText("Astrid Holm")).toBeTruthy();
  });

  it("of a plugin that is turned off says so", async () => {
    page = await openPage("/plugins/demo", [
      recordOf("demo", "1", { state: "Disabled", ui: null }),
    ]);
    expect(screen.getByTestId("plugin-page").textContent).toContain("turned off at present");
  });
});

describe("what plugins offer to do with a thing", () => {
  async function openWithMenu(run = vi.fn()) {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    const ui = page.services.host.plugins[0]?.sdk?.ui;
    act(() => {
      ui?.registerContextMenu({ id: "m", title: "Light a candle", target: "legacy", run });
      ui?.registerContextMenu({ id: "n", title: "Break", target: "legacy", run: fail });
      ui?.registerContextMenu({ id: "s", title: "For stories", target: "story", run });
    });
    return run;
  }
  const fail = () => Promise.reject(new Error("x"));
  const button = () => screen.getByRole("button", { name: "More for Astrid Holm" });
  const focused = () => document.activeElement?.textContent;
  const key = (name: string) =>
    act(() => void fireEvent.keyDown(document.activeElement ?? document.body, { key: name }));

  it("stands in its menu, and is told what it was chosen on", async () => {
    const run = await openWithMenu();
    await press("More for Astrid Holm", "button");
    expect(screen.queryByText("For stories")).toBeNull();
    await press("Light a candle", "menuitem");
    const target = { kind: "legacy", id: "01astrid", legacyId: "01astrid" };
    expect(run).toHaveBeenCalledWith(target, expect.objectContaining({ tenantId: "family" }));
    expect(screen.queryByRole("menu")).toBeNull();
  });

  it("is reached by keys alone, and the focus returns to the button", async () => {
    await openWithMenu();
    button().focus();
    key("ArrowUp");
    expect(focused()).toBe("Break");
    key("ArrowDown");
    expect(focused()).toBe("Light a candle");
    key("b");
    expect(focused()).toBe("Break");
    key("Home");
    expect(focused()).toBe("Light a candle");
    key("Escape");
    expect(document.activeElement).toBe(button());
    expect(button().getAttribute("aria-expanded")).toBe("false");
  });

  it("says so kindly when it fails", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    await openWithMenu();
    await press("More for Astrid Holm", "button");
    await press("Break", "menuitem");
    expect(screen.getByText(/“Break” did not work just now/)).toBeTruthy();
  });

  it("stands on each told memory, which knows its legacy", async () => {
    const run = await openWithMenu();
    const stories = [{ id: "s9", title: "The blue bicycle" }];
    page.answers["GET /legacies/01astrid"] = () => ({ body: { name: "Astrid Holm", stories } });
    await page.emit("story.created", { legacy_ids: ["01astrid"] });
    await press("More for The blue bicycle", "button");
    await press("For stories", "menuitem");
    const target = { kind: "story", id: "s9", legacyId: "01astrid" };
    expect(run).toHaveBeenCalledWith(target, expect.anything());
  });

  it("is no button where there is nothing to do", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    expect(screen.queryByRole("button", { name: /^More for/ })).toBeNull();
  });
});

describe("the command palette", () => {
  const field = () => screen.getByRole<HTMLInputElement>("combobox");
  const options = () => screen.getAllByRole("option").map(({ firstChild }) => firstChild);
  const titles = () => options().map((option) => option?.textContent);
  const type = (value: string) => act(() => void fireEvent.change(field(), { target: { value } }));
  const key = (name: string) => act(() => void fireEvent.keyDown(field(), { key: name }));
  const shortcut = () => act(() => void fireEvent.keyDown(document, { key: "k", ctrlKey: true }));
  const chosen = () => screen.getByRole("option", { selected: true });

  function declared() {
    const record = recordOf("demo");
    if (record.ui === null) throw new Error("the record has a remote");
    const commands = [{ id: "count", title: "Count again", component: "Commands#count" }];
    record.ui.contributions = { ...(record.ui.contributions as object), commands };
    return record;
  }

  it("lists what manifests declare, and fetches what it does when it is chosen", async () => {
    page = await openPage("/", [declared()]);
    const count = vi.fn();
    page.remotes["/mf/demo/1/remoteEntry.js"] = { Commands: { count } };
    shortcut();
    expect(titles()[0]).toBe("Count again");
    await press(/Count again/, "option");
    expect(count).toHaveBeenCalledWith(
      expect.objectContaining({ locale: "en-GB", sdk: page.services.host.plugins[0]?.sdk }),
    );
    expect(screen.queryByRole("option")).toBeNull();
  });

  it("finds by parts of words, without accents, and goes there by keys", async () => {
    page = await openPage("/", [declared()]);
    await press(/^Commands/, "button");
    type("lEg hÓlm");
    expect(titles()).toEqual(["Astrid Holm", "Erik Holm"]);
    expect(field().getAttribute("aria-activedescendant")).toBe(chosen().id);
    key("ArrowUp");
    expect(chosen().textContent).toContain("Erik Holm");
    key("ArrowDown");
    await act(async () => {
      fireEvent.keyDown(field(), { key: "Enter" });
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
    expect(window.location.pathname).toBe("/legacies/01astrid");
  });

  it("says that nothing fits", async () => {
    page = await openPage("/");
    shortcut();
    type("zzz");
    key("ArrowDown");
    key("Enter");
    expect(screen.queryByRole("option")).toBeNull();
    expect(screen.getByText("Nothing by that name.")).toBeTruthy();
  });

  it("says so kindly when a command fails", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    page = await openPage("/", [declared()]);
    shortcut();
    await press(/Count again/, "option");
    expect(screen.getByText(/“Count again” did not work just now/)).toBeTruthy();
  });
});

describe("when core is away", () => {
  it("the page says so after a moment and lives on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    await page.connection("away");
    expect(screen.queryByTestId("connection-note")).toBeNull();
    act(() => void vi.advanceTimersByTime(1_500));
    expect(screen.getByTestId("connection-note")).toBeTruthy();
    expect(slot("demo").textContent).toBe("demo of Astrid Holm");
    await page.connection("open");
    expect(screen.queryByTestId("connection-note")).toBeNull();
    vi.useRealTimers();
  });

  it("everything is asked for again when it returns", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    await page.connection("open");
    const before = page.asked.length;
    await page.connection("away");
    page.plugins = [recordOf("demo", "1", { state: "Disabled", ui: null })];
    await page.connection("open");
    expect(page.asked.slice(before).map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/plugins", "/session", "/legacies/01astrid"]),
    );
    expect(screen.getByTestId("plugin-note-demo")).toBeTruthy();
  });

  it("a failed list of plugins takes nothing away", async () => {
    page = await openPage("/legacies/01astrid", [recordOf("demo")]);
    page.answers["GET /plugins"] = () => ({ status: 502 });
    await page.emit("plugin.changed");
    expect(slot("demo").textContent).toBe("demo of Astrid Holm");
  });

  it("a later refusal of the session leaves the page as it is", async () => {
    page = await openPage("/");
    page.answers["GET /session"] = () => ({ status: 403 });
    await act(() => page.services.cache.revalidate());
    expect(screen.getByText("Astrid Holm")).toBeTruthy();
  });
});

describe("the status page", () => {
  it("shows states and reasons, and turns a plugin off", async () => {
    page = await openPage("/status", [
      recordOf("demo", "1", { state: "Degraded", reason: "store is slow" }),
    ]);
    expect(screen.getByTestId("plugin-state-demo").textContent).toBe("Degraded");
    expect(screen.getByText("store is slow")).toBeTruthy();
    page.answers["PUT /plugins/demo/disable"] = () => ({ body: {} });
    await press("Turn demo off", "button");
    expect(page.asked.at(-1)).toMatchObject({ method: "PUT", path: "/plugins/demo/disable" });
  });
});
