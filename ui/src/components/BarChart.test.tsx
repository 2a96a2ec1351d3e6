import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { pointsOf } from "../data/series";
import { createFormat } from "../format";
import { months } from "../testing";
import { BarChart } from "./BarChart";

const format = createFormat("en-GB");
const VALUES = [0, 1, 0, 2, null, 0, 5, 1, 0, 1, 1, 3];

function chart(values: (number | null)[] = VALUES) {
  const series = {
    metric: "stories",
    interval: "month",
    points: pointsOf(months(values)),
  } as const;
  return render(<BarChart series={series} format={format} />);
}

const cursor = () => screen.getByRole("slider", { name: "Move through the months" });
const press = (key: string) => fireEvent.keyDown(cursor(), { key });
const spoken = () => cursor().getAttribute("aria-valuetext");

afterEach(cleanup);

test("the cursor begins at the newest bucket and tells its place", () => {
  chart();

  expect(spoken()).toBe("December 2026: 3 memories so far");
  expect(cursor().getAttribute("aria-valuenow")).toBe("12");
  expect(cursor().getAttribute("aria-valuemax")).toBe("12");
});

test.each([
  ["ArrowLeft", "November 2026: 1 memory"],
  ["ArrowDown", "November 2026: 1 memory"],
  ["PageDown", "June 2026: 0 memories"],
  ["Home", "January 2026: 0 memories"],
  ["ArrowRight", "December 2026: 3 memories so far"],
])("%s moves from the newest bucket", (key, text) => {
  chart();
  press(key);

  expect(spoken()).toBe(text);
});

test("the cursor stops at both ends and comes back", () => {
  chart();
  press("Home");
  press("ArrowLeft");
  press("PageDown");
  expect(spoken()).toBe("January 2026: 0 memories");

  press("End");
  press("PageUp");
  expect(spoken()).toBe("December 2026: 3 memories so far");
});

test("arrows follow the direction of the text", () => {
  chart();
  cursor().style.direction = "rtl";
  press("ArrowRight");

  expect(spoken()).toBe("November 2026: 1 memory");
});

test("keys that are not its own are left to the page", () => {
  chart();

  expect(press("Tab")).toBe(true);
  expect(fireEvent.keyDown(cursor(), { key: "Home", ctrlKey: true })).toBe(true);
  expect(press("Home")).toBe(false);
});

test("the table says the same as the bars, and 'not shown' is not zero", () => {
  chart();
  const rows = within(screen.getByRole("table", { hidden: true })).getAllByRole("row", {
    hidden: true,
  });
  const cells = rows.slice(1).map((row) => row.lastElementChild?.textContent);

  expect(cells).toEqual(VALUES.map((value) => (value === null ? "not shown" : String(value))));
  expect(rows.at(-1)?.textContent).toContain("(so far)");
});

test("the highest bar fills its share of the axis, and a hidden or negative one has no height", () => {
  const { container } = chart(VALUES.map((value, index) => (index === 3 ? -2 : value)));
  const heights = [...container.querySelectorAll(".bar")].map((bar) => bar.getAttribute("height"));

  expect(heights[6]).toBe("83.333%");
  expect([heights[3], heights[4]]).toEqual(["0%", "0%"]);
});
