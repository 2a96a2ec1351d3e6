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
  [[1, 9, 2], "12 memories, most in February 2026 with 9."],
  [[0, 1, 0], "1 memory, all in February 2026."],
  [[3, 3, 1], "7 memories, up to 3 in a month."],
  [[0, 0, 0], "No memories in this time."],
  [
    [2, null, 1],
    "3 memories, most in January 2026 with 2. Where the circle was small, nothing is shown.",
  ],
])("the sentence for %j says what the eye sees", (values, sentence) => {
  expect(summaryOf(series(values), format)).toBe(sentence);
});

test("a bucket is spoken with its name, its count, and whether it is still running", () => {
  const shown = series([1, null, 4], "candles");
  const [first, second, third] = shown.points.map((point) => bucketText(shown, point, format));

  expect(first).toBe("January 2026: 1 candle");
  expect(second).toBe("February 2026: not shown");
  expect(third).toBe("March 2026: 4 candles so far");
});
