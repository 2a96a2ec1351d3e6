import { expect, test } from "vitest";
import { COUNTS, NONE, overview } from "../testing";
import { countsOf, nextStep, overviewPath, sizeOf } from "./overview";

test("the path carries the legacy and the zone, and leaves out what is not known", () => {
  expect(overviewPath("a/b", "Europe/Stockholm")).toBe(
    "/v1/data/overview?legacyId=a%2Fb&period=all&timezone=Europe%2FStockholm",
  );
  expect(overviewPath()).toBe("/v1/data/overview?period=all");
});

test("a metric that was not sent counts nothing", () => {
  const { data } = overview();
  data.metrics = data.metrics.filter(({ metric }) => metric !== "media");

  expect(countsOf(data)).toEqual({ ...COUNTS, media: 0 });
});

test("people are not among the things that lie here", () => {
  expect(sizeOf({ ...NONE, storytellers: 3 })).toBe(0);
  expect(sizeOf({ ...NONE, storytellers: 3, candles: 2, stories: 1 })).toBe(3);
});

test("a single voice comes before an unanswered memory, and nothing is asked without need", () => {
  expect(nextStep({ ...NONE, stories: 2, storytellers: 1 })).toBe("invite");
  expect(nextStep({ ...NONE, stories: 2, storytellers: 2 })).toBe("answer");
  expect(nextStep(COUNTS)).toBeUndefined();
  expect(nextStep(NONE)).toBeUndefined();
});
