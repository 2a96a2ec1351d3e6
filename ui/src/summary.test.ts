import { expect, test } from "vitest";
import type { Metric } from "./data/overview";
import { pointsOf } from "./data/series";
import { createFormat } from "./format";
import { bucketText, summaryOf } from "./summary";
import { months } from "./testing";

const format = createFormat("en-GB");

const series = (values: (number | null)[], metric: Metric = "stories") => ({
  metric,
  interval: "month" as const,
  points: pointsOf(months(values)),
});

test.each([
  [[1, 9, 2], "12 memories since January 2026, most in February 2026 with 9."],
  [[0, 1, 0], "1 memory since January 2026, all in February 2026."],
  [[3, 3, 1], "7 memories since January 2026, up to 3 in a month."],
  [[0, 0, 0], "No memories since January 2026."],
  [[1, -1, 0], "No memories since January 2026."],
  [[], ""],
  [
    [2, null, 1],
    "3 memories since January 2026, most in January 2026 with 2. Where the circle was small, nothing is shown.",
  ],
])("the sentence for %j says what the eye sees", (values, sentence) => {
  expect(summaryOf(series(values), format)).toBe(sentence);
});

test("where more was taken back than told, a bucket says so without a minus", () => {
  const shown = series([-1, -2]);

  expect(shown.points.map((point) => bucketText(shown, point, format))).toEqual([
    "January 2026: 1 memory taken back",
    "February 2026: 2 memories taken back so far",
  ]);
});

test("a day and a week are spoken of as such", () => {
  const points = series([1, 9]).points;

  expect(summaryOf({ metric: "hearts", interval: "day", points }, format)).toBe(
    "10 hearts since 1 January 2026, most on 1 February 2026 with 9.",
  );
  expect(summaryOf({ metric: "hearts", interval: "week", points }, format)).toContain(
    "most in the week of 1",
  );
});

test("a bucket is spoken with its name, its count, and whether it is still running", () => {
  const shown = series([1, null, 4], "candles");
  const [first, second, third] = shown.points.map((point) => bucketText(shown, point, format));

  expect(first).toBe("January 2026: 1 candle");
  expect(second).toBe("February 2026: not shown");
  expect(third).toBe("March 2026: 4 candles so far");
});
