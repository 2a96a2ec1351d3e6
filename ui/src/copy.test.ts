import { expect, test } from "vitest";
import { copy } from "./copy";
import { METRICS } from "./data/overview";
import { INTERVALS } from "./data/series";
import { PERIODS } from "./data/timeseries";

/** Words of trade and traffic; none belongs beside a grave (studies: the copy rule). */
const BANNED = [
  /\bsessions?\b/,
  /\bextract/,
  /\bchurn/,
  /\binactiv/,
  /\bengag/,
  /\bretention\b/,
  /\busers?\b/,
  /\bviews?\b/,
  /\bhits?\b/,
  /\bstreaks?\b/,
  /\bleaderboards?\b/,
  /\bonly\b/,
  /\bfail/,
  /\berrors?\b/,
  /%/,
  /!/,
  /\p{Extended_Pictographic}/u,
];

/** Call every function of the copy with every value it is made for. */
function sentences(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "function") return callsOf(value as (...words: unknown[]) => unknown);
  return Object.values(value as object).flatMap(sentences);
}

function callsOf(write: (...words: unknown[]) => unknown): string[] {
  const first = [...METRICS, ...INTERVALS, ...PERIODS, "invite", "answer"];
  return first.flatMap((word) => [1, 2, "x"].flatMap((second) => attempt(write, word, second)));
}

function attempt(
  write: (...words: unknown[]) => unknown,
  first: string,
  second: unknown,
): string[] {
  try {
    const text = write(first, second, "month");
    return typeof text === "string" ? [text] : [];
  } catch (error) {
    // A metric where an interval is meant: not a sentence anybody sees.
    if (error instanceof TypeError) return [];
    throw error;
  }
}

test("a kind funeral director would say every word of it out loud", () => {
  const said = sentences(copy);
  const unkind = said.filter((text) => BANNED.some((word) => word.test(text.toLowerCase())));

  expect(said.length).toBeGreaterThan(60);
  expect(unkind).toEqual([]);
});

test("every thing has a singular and a plural", () => {
  for (const metric of METRICS) expect(copy.noun(metric, 1)).not.toBe(copy.noun(metric, 2));
  expect(copy.noun("stories", 0)).toBe("memories");
});
