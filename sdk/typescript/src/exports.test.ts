// @vitest-environment node
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

/**
 * What the package gives to the world, types too. A name that leaves this list breaks somebody; one
 * that joins it is a promise, and needs a type test in `api.test-d.ts`.
 */
const PROMISED = JSON.parse(readFileSync("sdk/typescript/api.json", "utf8")) as Record<
  string,
  readonly string[]
>;
const ROOM = "sdk/typescript";

const { exports } = JSON.parse(readFileSync(join(ROOM, "package.json"), "utf8")) as {
  exports: Record<string, string>;
};
const program = ts.createProgram(
  Object.values(exports).map((file) => join(ROOM, file)),
  settings(),
);
const checker = program.getTypeChecker();
const typeTests = readFileSync(join(ROOM, "src/api.test-d.ts"), "utf8");

function settings(): ts.CompilerOptions {
  const path = join(ROOM, "tsconfig.json");
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as {
    config: unknown;
  };
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(path)).options;
}

function exportedBy(file: string): string[] {
  const source = program.getSourceFile(join(ROOM, file));
  const symbol = source && checker.getSymbolAtLocation(source);
  return symbol ? checker.getExportsOfModule(symbol).map(({ name }) => name) : [];
}

it.each(Object.entries(exports))("%s exports what is promised, by name", (entry, file) => {
  const names = exportedBy(file).sort();
  expect(names).toEqual([...(PROMISED[entry] ?? [])].sort());
  expect(names).not.toContain("default");
});

it("each exported name has a type test", () => {
  const names = Object.values(PROMISED).flat();
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(typeTests))).toEqual([]);
});
