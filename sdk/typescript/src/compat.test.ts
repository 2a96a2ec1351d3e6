import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CompatError, satisfies } from "./compat.ts";
import { SDK_VERSION } from "./version.ts";

interface Cases {
  admits: { range: string; version: string; expected: boolean }[];
  badRanges: string[];
  badVersions: string[];
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const cases = read("sdk/schema/samples/compat-cases.json") as Cases;

describe("a range", () => {
  it.each(cases.admits)("$range and $version: $expected", ({ range, version, expected }) => {
    expect(satisfies(range, version)).toBe(expected);
  });

  it.each(cases.badRanges)("%j is refused", (range) => {
    expect(() => satisfies(range, "2.1.0")).toThrow(CompatError);
  });

  it("is refused with the word that is at fault", () => {
    expect(() => satisfies(">=2.1 foo", "2.1.0")).toThrow('"foo" in ">=2.1 foo" is no comparator');
  });
});

describe("a version", () => {
  it.each(cases.badVersions)("%j is refused", (version) => {
    expect(() => satisfies(">=0", version)).toThrow(CompatError);
  });

  it("of this SDK is the one of its package", () => {
    expect(read("sdk/typescript/package.json")).toMatchObject({ version: SDK_VERSION });
  });
});
