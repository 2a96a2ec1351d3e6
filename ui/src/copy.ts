/**
 * Every word that the plugin shows or speaks, in one place.
 *
 * Each must pass one question: would a kind funeral director say it out loud? So people are
 * storytellers, counts never blame, and quiet is not failure. `copy.test.ts` holds the words
 * that stay out.
 */
import type { Metric, Step } from "./data/overview";
import type { Interval } from "./data/series";
import type { Period } from "./data/timeseries";

/** Singular and plural of what gathers. */
const NOUNS: Record<Metric, readonly [one: string, many: string]> = {
  stories: ["memory", "memories"],
  storytellers: ["storyteller", "storytellers"],
  responses: ["answer", "answers"],
  candles: ["candle", "candles"],
  hearts: ["heart", "hearts"],
  smiles: ["smile", "smiles"],
  media: ["keepsake", "keepsakes"],
};

const NOTES: Partial<Record<Metric, string>> = {
  stories: "told and kept",
  storytellers: "people who shared something",
  responses: "written to a memory",
  candles: "lit",
  hearts: "left",
  smiles: "shared",
  media: "pictures, recordings and papers",
};

const INTERVAL_NAMES: Record<Interval, readonly [one: string, many: string]> = {
  day: ["day", "days"],
  week: ["week", "weeks"],
  month: ["month", "months"],
  quarter: ["quarter", "quarters"],
  year: ["year", "years"],
};

const PREPOSITIONS: Record<Interval, string> = {
  day: "on",
  week: "in the week of",
  month: "in",
  quarter: "in",
  year: "in",
};

const STEPS: Record<Step, string> = {
  invite: "One person has told what they remember. Someone close may like to be asked.",
  answer: "No memory has been answered yet. A few words are enough.",
};

const PERIOD_NAMES: Record<Period, string> = {
  "30d": "30 days",
  "12mo": "12 months",
  all: "All years",
};

export const copy = {
  language: "en",
  remembering: "Remembering",
  gathered: "What has gathered",
  rhythm: "Rhythm",
  rhythmNote: "When people came to tell.",
  seeMore: "See more",
  loading: "One moment.",
  tryAgain: "Try again",
  whose: "Whose memory",
  metric: "Show",
  period: "Over",
  interval: "By",
  notShown: "not shown",
  running: "so far",
  noLegacy: "There is no legacy here yet. It will show here once one has been created.",
  empty: "Nothing has been told yet. A first memory can be one sentence.",
  unavailable: "This cannot be shown right now. What has been told is safe.",
  earlier: "These are the numbers from a little earlier.",
  catchingUp: "Some days are still being counted.",
  denied: "This is kept for the people close to this legacy.",
  table: (interval: Interval) =>
    `As a table, ${INTERVAL_NAMES[interval][0]} by ${INTERVAL_NAMES[interval][0]}`,
  through: (interval: Interval) => `Move through the ${INTERVAL_NAMES[interval][1]}`,
  when: (interval: Interval) => capital(INTERVAL_NAMES[interval][0]),
  countedUpTo: (moment: string) => `Counted up to ${moment}.`,
  noun: (metric: Metric, count: number) => NOUNS[metric][count === 1 ? 0 : 1],
  note: (metric: Metric) => NOTES[metric] ?? "",
  heading: (metric: Metric) => capital(NOUNS[metric][1]),
  count: (metric: Metric, count: number, shown: string) => `${shown} ${copy.noun(metric, count)}`,
  at: (when: string, interval: Interval) => `${PREPOSITIONS[interval]} ${when}`,
  takenBack: (counts: string) => `${counts} taken back`,
  periodName: (period: Period) => PERIOD_NAMES[period],
  intervalName: (interval: Interval) => capital(INTERVAL_NAMES[interval][0]),
  step: (step: Step) => STEPS[step],
  now: (counts: string) => `Now ${counts}.`,
  summary: {
    none: (metric: Metric, since: string) => `No ${NOUNS[metric][1]} since ${since}.`,
    since: (counts: string, since: string) => `${counts} since ${since}`,
    all: (counts: string, when: string) => `${counts}, all ${when}.`,
    most: (counts: string, when: string, many: string) => `${counts}, most ${when} with ${many}.`,
    upTo: (counts: string, many: string, interval: Interval) =>
      `${counts}, up to ${many} in a ${INTERVAL_NAMES[interval][0]}.`,
    hidden: "Where the circle was small, nothing is shown.",
  },
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
