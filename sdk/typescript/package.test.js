// @vitest-environment node
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const MINUTE = 60_000;
const ROOM = import.meta.dirname;
const NAME = "@mosaiclife/plugin-sdk";
const TSC = join(ROOM, "node_modules/typescript/bin/tsc");
const run = promisify(execFile);
let author;
let pack;

/** Build, pack and unpack the package, as publishing and installing would. */
beforeAll(async () => {
  author = await mkdtemp(join(tmpdir(), "author-"));
  pack = join(author, "node_modules", NAME);
  await mkdir(pack, { recursive: true });
  await run("pnpm", ["run", "build"], { cwd: ROOM });
  await run("pnpm", ["pack", "--pack-destination", author], { cwd: ROOM });
  const [archive] = (await readdir(author)).filter((name) => name.endsWith(".tgz"));
  await run("tar", ["-xzf", join(author, archive), "-C", pack, "--strip-components=1"]);
  const peers = ["react", "@module-federation", "@types"].map(async (name) => {
    const from = name === "@types" ? join(ROOM, "../../node_modules") : join(ROOM, "node_modules");
    await symlink(join(from, name), join(author, "node_modules", name));
  });
  await Promise.all(peers);
}, 2 * MINUTE);

afterAll(() => rm(author, { recursive: true }));

async function evaluate(code) {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: author,
  });
  return JSON.parse(stdout);
}

test.each([
  ["", "withQuery"],
  ["/react", "useSdk"],
  ["/host", "createPluginHost"],
  ["/testing", "createFakeSdk"],
])("plain Node imports the published package%s", async (entry, known) => {
  const names = await evaluate(
    `console.log(JSON.stringify(Object.keys(await import("${NAME}${entry}"))))`,
  );

  expect(names).toContain(known);
  expect(names).not.toContain("default");
});

test("what was imported works, and errors are the same class in each entry", async () => {
  const answer = await evaluate(`
    import { SdkHttpError, satisfies } from "${NAME}";
    import { createFakeSdk } from "${NAME}/testing";
    const error = await createFakeSdk().http.get("/v1/none").catch((cause) => cause);
    console.log(JSON.stringify([satisfies(">=1.2", "1.2.0"), error instanceof SdkHttpError]));
  `);

  expect(answer).toEqual([true, true]);
});

test("no framework and no runtime of the host comes with the root entry", async () => {
  const script = await readFile(join(pack, "dist/index.js"), "utf8");

  expect(script).not.toMatch(/react|module-federation|\.ts"/);
});

test(
  "its declarations serve a strict author, under Node's resolution and under a bundler's",
  async () => {
    await writeFile(join(author, "package.json"), '{"type": "module"}');
    await writeFile(join(author, "panel.ts"), AUTHORS_CODE);
    for (const module of [
      ["--module", "nodenext"],
      ["--module", "esnext", "--moduleResolution", "bundler"],
    ]) {
      const strict = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"];
      const check = [TSC, ...strict, "--types", "react", ...module, "panel.ts"];
      await run(process.execPath, check, { cwd: author }).catch(({ stdout }) =>
        expect.fail(stdout),
      );
    }
  },
  MINUTE,
);

const AUTHORS_CODE = `
import type { Panel } from "${NAME}";
import { createPluginHost } from "${NAME}/host";
import { useSdk } from "${NAME}/react";
import { createFakeSdk } from "${NAME}/testing";

export const panel: Panel = { id: "p", title: "P", mount: (el, { sdk }) => {
  void sdk.http.get<{ data: number }>("/v1/n").then(({ data }) => { el.textContent = String(data); });
}, unmount: () => undefined };
export const sdk = createFakeSdk();
export const tenant: () => string = () => useSdk().tenantId;
export const make: typeof createPluginHost = createPluginHost;
// @ts-expect-error -- the declarations are read, not skipped
export const wrong: Panel = { id: 7 };
`;
