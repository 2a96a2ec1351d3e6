import { cleanup, render, waitFor, within } from "@testing-library/react";
import { reply, type FakeSdk } from "@mosaiclife/plugin-sdk/testing";
import { StrictMode, useEffect, useRef } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { COUNTS_CHANGED } from "./data/useReport";
import { panel } from "./panel";
import {
  COUNTS,
  fakeSdk,
  LEGACY,
  NONE,
  OVERVIEW,
  overview,
  panelContext,
  settled,
} from "./testing";

let place: HTMLElement;
let sdk: FakeSdk;

beforeEach(() => {
  place = document.createElement("div");
  document.body.append(place);
  sdk = fakeSdk();
});

afterEach(async () => {
  cleanup();
  await settled(() => panel.unmount());
  place.remove();
});

const mount = (more = {}) => settled(() => panel.mount(place, panelContext(sdk, more)));
const unmount = () => settled(() => panel.unmount());

function inside() {
  const root = place.firstElementChild?.shadowRoot;
  if (!root) throw new Error("the panel has no shadow root");
  return within(root as unknown as HTMLElement);
}

const metric = (name: string) => inside().getByTestId(`${PLUGIN_ID}-metric-${name}`).textContent;

test("the panel carries the id and the title of the manifest", () => {
  expect([panel.id, panel.title]).toEqual([PANEL_ID, PANEL_TITLE]);
});

test("one call fills the card", async () => {
  await mount({ timezone: "Europe/Stockholm" });

  expect(inside().getByRole("heading").textContent).toBe("Remembering Astrid Lindqvist");
  expect([metric("stories"), metric("storytellers")]).toEqual(["12", "7"]);
  expect([metric("candles"), metric("hearts"), metric("smiles")]).toEqual(["31", "18", "4"]);
  expect(
    inside().getByText("12 memories since January 2026, most in July 2026 with 5."),
  ).toBeTruthy();
  expect(inside().getByRole("link").getAttribute("href")).toBe(
    `/plugins${ROUTE_PATH}?legacy=${LEGACY.id}`,
  );
  expect(sdk.requests.map(({ path }) => path)).toEqual([
    `${OVERVIEW}?legacyId=${LEGACY.id}&period=all&timezone=Europe%2FStockholm`,
  ]);
});

test("while nothing is known, it says so to everyone and shows no number", async () => {
  vi.spyOn(sdk.cache, "query").mockReturnValue(waiting());
  await mount();

  expect(inside().getByRole("status").textContent).toBe("One moment.");
  expect(inside().queryByTestId(`${PLUGIN_ID}-metric-stories`)).toBeNull();
});

function waiting() {
  const snapshot = { data: undefined, error: undefined, fetching: true, updatedAt: undefined };
  return { snapshot, refresh: () => Promise.resolve(), dispose: () => undefined };
}

test("where nothing was told it invites, and shows no zeros", async () => {
  sdk.respond(OVERVIEW, overview(NONE));
  await mount();

  const invitation = "Nothing has been told yet. A first memory can be one sentence.";
  expect(inside().getByText(invitation)).toBeTruthy();
  expect(inside().queryByText("0")).toBeNull();
});

test("one voice alone is met with one kind step", async () => {
  sdk.respond(OVERVIEW, overview({ ...NONE, stories: 1, storytellers: 1 }));
  await mount();

  expect(inside().getByText(/Someone close may like to be asked/)).toBeTruthy();
  expect(inside().queryByText("0")).toBeNull();
});

test("when counts change, they are asked for again, and only if they are this legacy's", async () => {
  await mount();
  sdk.respond(OVERVIEW, overview({ ...COUNTS, stories: 13 }));

  await settled(() => sdk.emit(COUNTS_CHANGED, { legacyIds: ["another"] }));
  expect(metric("stories")).toBe("12");

  await settled(() => sdk.emit(COUNTS_CHANGED, { legacyIds: [LEGACY.id] }));
  await waitFor(() => expect(metric("stories")).toBe("13"));
});

test("when asking again fails, the last good numbers stay and a retry is offered", async () => {
  await mount();
  sdk.respond(OVERVIEW, reply(500, {}));
  await settled(() => sdk.emit(COUNTS_CHANGED, {}));

  const retry = await waitFor(() => inside().getByRole("button", { name: "Try again" }));
  expect(metric("stories")).toBe("12");
  expect(inside().getByText("These are the numbers from a little earlier.")).toBeTruthy();

  sdk.respond(OVERVIEW, overview({ ...COUNTS, stories: 14 }));
  await settled(() => retry.click());
  await waitFor(() => expect(metric("stories")).toBe("14"));
  expect(inside().queryByRole("button")).toBeNull();
});

test("a first failure is told kindly, and can be tried again", async () => {
  sdk.respond(OVERVIEW, reply(500, {}));
  await mount();
  const retry = await waitFor(() => inside().getByRole("button", { name: "Try again" }));

  sdk.respond(OVERVIEW, overview());
  await settled(() => retry.click());
  await waitFor(() => expect(metric("stories")).toBe("12"));
});

test("who may not see a legacy is told so, without a retry that cannot help", async () => {
  sdk.respond(OVERVIEW, reply(403, { error: { code: "LEGACY_ACCESS_DENIED", message: "no" } }));
  await mount();

  await waitFor(() => inside().getByText("This is kept for the people close to this legacy."));
  expect(inside().queryByRole("button")).toBeNull();
});

test("a name that the host did not give is resolved with the viewer's rights", async () => {
  sdk.names.resolve = (ids) => Promise.resolve({ [String(ids[0])]: "Astrid" });
  await mount({ legacyName: undefined });

  await waitFor(() => expect(inside().getByRole("heading").textContent).toBe("Remembering Astrid"));
});

test("without a legacy the title is general and the numbers are everyone's", async () => {
  await mount({ legacyName: undefined, legacyId: undefined });

  expect(inside().getByRole("heading").textContent).toBe("What has gathered");
  expect(sdk.requests[0]?.path).toBe(`${OVERVIEW}?period=all`);
});

test("a second mount replaces the first, and a second unmount is harmless", async () => {
  await mount();
  await mount();
  expect(place.childElementCount).toBe(1);
  expect(sdk.subscriptions()).toBe(1);

  await unmount();
  await unmount();
  expect(place.childElementCount).toBe(0);
  expect(sdk.subscriptions()).toBe(0);
});

test("a hundred visits leave nothing behind", async () => {
  for (let visit = 0; visit < 100; visit += 1) {
    await mount();
    await unmount();
  }

  expect(place.childElementCount).toBe(0);
  expect(sdk.subscriptions()).toBe(0);
});

test("a host in strict mode may mount, remove and mount again while it renders", async () => {
  const complaints = vi.spyOn(console, "error");
  const { unmount: leave } = render(
    <StrictMode>
      <Slot sdk={sdk} />
    </StrictMode>,
  );
  await waitFor(() => expect(sdk.subscriptions()).toBe(1));

  await settled(() => leave());
  expect(sdk.subscriptions()).toBe(0);
  expect(complaints).not.toHaveBeenCalled();
});

function Slot({ sdk }: { sdk: FakeSdk }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element.current) panel.mount(element.current, panelContext(sdk));
    return () => panel.unmount();
  }, [sdk]);
  return <div ref={element} />;
}

test("an answer that breaks the card is caught inside it", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  sdk.respond(OVERVIEW, { data: { metrics: null }, meta: {} });
  await mount();

  const retry = await waitFor(() => inside().getByRole("button", { name: "Try again" }));
  expect(inside().getByText(/What has been told is safe/)).toBeTruthy();

  sdk.respond(OVERVIEW, overview());
  await settled(() => sdk.cache.query(sdk.requests[0]?.path ?? "").refresh());
  await settled(() => retry.click());
  await waitFor(() => expect(metric("stories")).toBe("12"));
});
