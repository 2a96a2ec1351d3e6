import { SdkProvider } from "@mosaiclife/plugin-sdk/react";
import { reply, type FakeSdk } from "@mosaiclife/plugin-sdk/testing";
import { cleanup, fireEvent, render, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { COUNTS_CHANGED } from "./data/useReport";
import { AnalyticsPage, routes } from "./routes";
import {
  COUNTS,
  fakeSdk,
  LEGACY,
  NONE,
  OVERVIEW,
  overview,
  TIMESERIES,
  settled,
  timeSeries,
} from "./testing";

const LARS = { id: "01LARS", name: "Lars Lindqvist", role: "admin" };

let sdk: FakeSdk;

beforeEach(() => {
  history.replaceState({ kept: true }, "", "/plugins/page");
  sdk = fakeSdk();
});

afterEach(cleanup);

/** Show the page as the host does, and look into its shadow root. */
async function open(legacies = [LEGACY, LARS]) {
  const context = { tenantId: "t", locale: "en-GB", legacies };
  const { container } = await settled(() =>
    render(
      <StrictMode>
        <SdkProvider sdk={sdk} context={context}>
          <AnalyticsPage />
        </SdkProvider>
      </StrictMode>,
    ),
  );
  const root = container.firstElementChild?.shadowRoot;
  return within(root as unknown as HTMLElement);
}

const asked = () => sdk.requests.map(({ path }) => path);
const lastAsked = () => new URL(asked().at(-1) ?? "", "http://core").searchParams;

test("the route of the manifest leads to the page", () => {
  expect(routes).toEqual([{ path: ROUTE_PATH, element: AnalyticsPage }]);
});

test("the page opens with the first legacy, its numbers and its rhythm", async () => {
  const page = await open();

  expect(page.getByRole("heading", { level: 1 }).textContent).toBe("Remembering Astrid Lindqvist");
  expect(page.getByTestId(`${PLUGIN_ID}-metric-media`).textContent).toBe("22");
  expect(page.getByRole("slider").getAttribute("aria-valuetext")).toContain("March 2026");
  expect(page.getByText(/^Counted up to 9 Dec 2026/)).toBeTruthy();
});

test("a choice goes into the address and asks for what was chosen", async () => {
  const page = await open();
  sdk.respond(TIMESERIES, timeSeries([7]));
  await settled(() => page.getByRole("radio", { name: "All years" }).click());
  await settled(() => page.getByRole("radio", { name: "Candles" }).click());

  expect(location.search).toBe("?over=all&show=candles");
  expect(history.state).toEqual({ kept: true });
  expect(Object.fromEntries(lastAsked())).toEqual({
    legacyId: LEGACY.id,
    metric: "candles",
    interval: "quarter",
    period: "all",
  });
});

test("the address brings the choice back, and what it cannot mean is left aside", async () => {
  history.replaceState(null, "", `?legacy=${LARS.id}&over=30d&by=century&show=tears`);
  const page = await open();

  expect(page.getByRole("heading", { level: 1 }).textContent).toBe("Remembering Lars Lindqvist");
  expect(page.getByRole<HTMLInputElement>("radio", { name: "30 days" }).checked).toBe(true);
  expect(lastAsked().get("interval")).toBe("day");
  expect(lastAsked().get("metric")).toBe("stories");
});

test("another legacy may be chosen where there are several", async () => {
  const page = await open();
  await settled(() => fireEvent.change(page.getByRole("combobox"), { target: { value: LARS.id } }));

  expect(location.search).toBe(`?legacy=${LARS.id}`);
  expect(page.getByRole("heading", { level: 1 }).textContent).toBe("Remembering Lars Lindqvist");
});

test("with one legacy there is nothing to choose, with none it says so", async () => {
  expect((await open([LEGACY])).queryByRole("combobox")).toBeNull();
  cleanup();

  expect((await open([])).getByText(/There is no legacy here yet/)).toBeTruthy();
});

test("with few things there are no controls, with none an invitation alone", async () => {
  sdk.respond(OVERVIEW, overview({ ...NONE, stories: 2, storytellers: 2 }));
  const page = await open();
  expect(page.queryByRole("radio")).toBeNull();
  expect(page.getByRole("slider")).toBeTruthy();

  sdk.respond(OVERVIEW, overview(NONE));
  await settled(() => sdk.emit(COUNTS_CHANGED, {}));
  await waitFor(() => page.getByText(/A first memory can be one sentence/));
  expect(page.queryByRole("slider")).toBeNull();
});

test("a choice that cannot be answered keeps the chart and says so", async () => {
  const page = await open();
  sdk.respond(TIMESERIES, reply(500, {}));
  await settled(() => page.getByRole("radio", { name: "Hearts" }).click());

  await waitFor(() => page.getByText("These are the numbers from a little earlier."));
  expect(page.getByRole("slider")).toBeTruthy();
});

test("changes come to ear politely: not at once, and not one by one", async () => {
  vi.useFakeTimers();
  const page = await open();
  const spoken = () => page.getAllByRole("status").map(({ textContent }) => textContent);
  for (const stories of [13, 14, 15]) {
    sdk.respond(OVERVIEW, overview({ ...COUNTS, stories }));
    await settled(() => sdk.emit(COUNTS_CHANGED, {}));
    await settled(() => vi.advanceTimersByTimeAsync(100));
  }
  expect(spoken()).toEqual([""]);

  await settled(() => vi.advanceTimersByTimeAsync(20_000));
  expect(spoken()).toEqual(["Now 15 memories."]);
  vi.useRealTimers();
});

test("a page that comes back to the eye asks again", async () => {
  await open();
  const before = asked().length;
  await settled(() => document.dispatchEvent(new Event("visibilitychange")));

  expect(asked().length).toBe(before + 2);
});

test("a page that is left reads nothing more", async () => {
  await open();
  cleanup();

  expect(sdk.subscriptions()).toBe(0);
});
