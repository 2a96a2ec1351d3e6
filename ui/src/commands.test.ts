import { expect, test } from "vitest";
import { openPage, seeRhythm } from "./commands";
import { LEGACY, fakeSdk } from "./testing";

const contextOf = (sdk: ReturnType<typeof fakeSdk>) => ({ sdk, tenantId: "t", locale: "en" });

test("the command shows the page of the manifest", async () => {
  const sdk = fakeSdk();
  await openPage(contextOf(sdk));

  expect(sdk.opened).toEqual([`/plugins${ROUTE_PATH}`]);
});

test("the entry in a legacy's menu shows its whole rhythm", async () => {
  const sdk = fakeSdk();
  await seeRhythm({ kind: "legacy", id: LEGACY.id }, contextOf(sdk));

  expect(sdk.opened).toEqual([`/plugins${ROUTE_PATH}?legacy=${LEGACY.id}&over=all`]);
  expect(sdk.requests).toEqual([]);
});
