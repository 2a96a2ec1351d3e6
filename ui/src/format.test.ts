import { expect, test } from "vitest";
import { createFormat } from "./format";

const YEAR = { start: "2026-01-01", end: "2027-01-01" };
const QUARTER = { start: "2026-01-01", end: "2026-04-01" };
const WEEK = { start: "2026-03-02", end: "2026-03-09" };
const MONTH = { start: "2026-03-01", end: "2026-04-01" };
const DAY = { start: "2026-03-01", end: "2026-03-02" };

/** Locale data puts thin and narrow spaces around dashes; the reader does not mind which. */
const plain = (text: string) => text.replace(/\s+/gu, " ");

test("a bucket is named in full by its local dates, whatever the viewer's zone", () => {
  const format = createFormat("en-GB", "America/Los_Angeles");

  expect(format.bucket(YEAR, "year")).toBe("2026");
  expect(plain(format.bucket(QUARTER, "quarter"))).toMatch(/^January ?– ?March 2026$/u);
  expect(plain(format.bucket(WEEK, "week"))).toMatch(/^2 ?– ?8 March 2026$/u);
  expect(format.bucket(MONTH, "month")).toBe("March 2026");
  expect(format.bucket(DAY, "day")).toBe("1 March 2026");
});

test("a bucket begins as precisely as its interval", () => {
  const format = createFormat("en-GB");

  expect(format.beginning(WEEK, "week")).toBe("2 March 2026");
  expect(format.beginning(QUARTER, "quarter")).toBe("January 2026");
});

test("a tick is short and keeps its year apart", () => {
  const format = createFormat("en-GB");

  expect(format.tick(MONTH, "month")).toEqual({ text: "Mar", year: "2026" });
  expect(format.tick(YEAR, "year")).toEqual({ text: "2026", year: "" });
});

test("numbers and dates follow the viewer's locale, moments the viewer's zone", () => {
  const swedish = createFormat("sv-SE", "Europe/Stockholm");

  expect(plain(swedish.number(12345))).toBe("12 345");
  expect(swedish.bucket(MONTH, "month")).toBe("mars 2026");
  expect(swedish.moment("2026-03-01T23:30:00Z")).toContain("00:30");
});
