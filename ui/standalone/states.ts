/** The answers between which an author can switch. */
import { reply, type FakeSdk } from "@mosaiclife/plugin-sdk/testing";
import { COUNTS, NONE, OVERVIEW, overview, TIMESERIES, timeSeries } from "../src/samples";

const denied = reply(403, {
  error: { code: "LEGACY_ACCESS_DENIED", message: "This legacy is not yours to read." },
});

export const STATES: Readonly<Record<string, (sdk: FakeSdk) => void>> = {
  "a year of memories": (sdk) => answer(sdk, overview(), timeSeries([1, 4, 2, 0, 3, 6])),
  "a first memory": (sdk) =>
    answer(sdk, overview({ ...NONE, stories: 1, storytellers: 1 }), timeSeries([0, 1])),
  "nothing yet": (sdk) => answer(sdk, overview(NONE), timeSeries([0, 0])),
  "not allowed": (sdk) => answer(sdk, denied, denied),
  "out of reach": (sdk) => answer(sdk, reply(503), reply(503)),
};

let told = COUNTS.stories;

/** Answer as if one more memory had been told. */
export function tellOne(sdk: FakeSdk): void {
  told += 1;
  answer(sdk, overview({ ...COUNTS, stories: told }), timeSeries([1, 4, 2, 0, 3, told]));
}

function answer(sdk: FakeSdk, report: unknown, series: unknown): void {
  sdk.respond(OVERVIEW, report);
  sdk.respond(TIMESERIES, series);
}
