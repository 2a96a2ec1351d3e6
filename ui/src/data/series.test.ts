import { expect, test } from "vitest";
import { months } from "../testing";
import { axisSteps, fullest, labelPlaces, maximum, pointsOf, total } from "./series";

test("a hidden value is told apart from zero and adds nothing", () => {
  const points = pointsOf(months([2, null, 0]));

  expect(points.map(({ value }) => value)).toEqual([2, null, 0]);
  expect(total(points)).toBe(2);
  expect(maximum(points)).toBe(2);
});

test("a column that was not sent is hidden, not zero", () => {
  expect(pointsOf(months([2]), 1)[0]?.value).toBeNull();
});

test("the newest bucket alone can be running; an earlier one is cut by where the report begins", () => {
  const buckets = months([1, 2, 3]).map((bucket) => ({ ...bucket, complete: false }));

  expect(pointsOf(buckets).map(({ running }) => running)).toEqual([false, false, true]);
});

test("the fullest bucket is the earliest of equals, and there is none in silence", () => {
  expect(fullest(pointsOf(months([1, 3, 3])))?.start).toBe("2026-02-01");
  expect(fullest(pointsOf(months([0, null])))).toBeUndefined();
  expect(fullest([])).toBeUndefined();
});

test.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [3, [0, 1, 2, 3]],
  [7, [0, 5, 10]],
  [12, [0, 5, 10, 15]],
  [100, [0, 50, 100]],
  [1234, [0, 500, 1000, 1500]],
])("the axis for %d has whole round steps that reach it", (max, steps) => {
  expect(axisSteps(max)).toEqual(steps);
});

test("axis steps always hold the highest value, and stay few", () => {
  for (let max = 0; max < 5000; max += 1) {
    const steps = axisSteps(max);
    expect(steps.at(-1)).toBeGreaterThanOrEqual(max);
    expect(steps.length).toBeLessThanOrEqual(4);
    expect(steps.every(Number.isInteger)).toBe(true);
  }
});

test("labels are few, evenly spread, and always name the newest", () => {
  expect(labelPlaces(12, 6)).toEqual([1, 3, 5, 7, 9, 11]);
  expect(labelPlaces(3, 6)).toEqual([0, 1, 2]);
  expect(labelPlaces(0, 6)).toEqual([]);
  expect(labelPlaces(365, 6).length).toBeLessThanOrEqual(6);
});
