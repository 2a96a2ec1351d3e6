// @vitest-environment node
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, cp, mkdtemp, readFile, readdir, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import webpack from "webpack";
import config from "../webpack.config.js";
import { readIdentity, uniqueName } from "./identity.js";

const MINUTE = 60_000;
const ROOM = join(import.meta.dirname, "..");
const CLI = createRequire(import.meta.url).resolve("webpack-cli/bin/cli.js");
const run = promisify(execFile);
const identity = readIdentity();
let folder;
let list;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "remote-"));
  await build(folder);
  list = await integrityIn(folder);
}, 2 * MINUTE);

afterAll(() => rm(folder, { recursive: true }));

/** Build into *path* by the command that everybody uses, and fail on any warning. */
async function build(path) {
  const { stdout } = await run(process.execPath, [CLI, "--output-path", path], { cwd: ROOM });
  expect(stdout).toContain("compiled successfully");
}

function into(path, settings) {
  return {
    ...settings,
    output: { ...settings.output, path },
    infrastructureLogging: { level: "none" },
  };
}

async function integrityIn(path) {
  return JSON.parse(await readFile(join(path, "integrity.json"), "utf8"));
}

async function scriptsIn(path) {
  const names = (await readdir(path)).filter((name) => name.endsWith(".js")).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), "utf8")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index]]));
}

function hashOf(text) {
  return `sha384-${createHash("sha384").update(text).digest("base64")}`;
}

test("the list names every script with its hash", async () => {
  const scripts = Object.entries(await scriptsIn(folder));

  expect(list).toEqual(Object.fromEntries(scripts.map(([name, text]) => [name, hashOf(text)])));
  expect(Object.keys(list)).toContain("remoteEntry.js");
});

test("the entry demands the hash of every other script", async () => {
  const { "remoteEntry.js": entry, ...chunks } = await scriptsIn(folder);

  expect(entry).toMatch(/createElement\("script"\).{1,400}\.integrity=\w+\.integrity\[\w+\]/);
  for (const text of Object.values(chunks)) expect(entry).toContain(hashOf(text));
});

test("nothing is evaluated, so that a strict policy holds", async () => {
  for (const [name, text] of Object.entries(await scriptsIn(folder))) {
    expect(text, name).not.toMatch(/\beval\s*\(|new\s+Function\b|\bFunction\s*\(\s*["'`]/);
  }
});

test("the container is a global named after the plugin, with both parts", async () => {
  const entry = await readFile(join(folder, "remoteEntry.js"), "utf8");
  const script = { src: "http://core/mf/remoteEntry.js", tagName: "SCRIPT" };
  const page = { document: { currentScript: script }, URL };
  page.self = page;
  runInNewContext(entry, page);

  const container = page[identity.container];
  expect(identity.container).toBe(`plugin_${identity.id.replaceAll("-", "_")}`);
  expect([typeof container.get, typeof container.init]).toEqual(["function", "function"]);
  expect(entry).toContain('"./Panel"');
  expect(entry).toContain('"./Routes"');
});

test("each version loads its chunks under a name of its own", async () => {
  const scripts = await scriptsIn(folder);
  const version = identity.version.replaceAll(".", "_");
  const global = `webpackChunk${identity.container}_${version}`;

  expect(uniqueName(identity)).toBe(`${identity.container}_${identity.version}`);
  for (const [name, text] of Object.entries(scripts)) expect(text, name).toContain(global);
});

test(
  "the same sources make the same bytes",
  async () => {
    const second = await mkdtemp(join(tmpdir(), "remote-"));
    await build(second);

    expect(await integrityIn(second)).toEqual(list);
    await rm(second, { recursive: true });
  },
  MINUTE,
);

test(
  "while watching, each build is whole and has a new name",
  async () => {
    const [first, second] = await watchTwice();

    expect(first.name).not.toBe(second.name);
    for (const { name, entry, hash } of [first, second]) {
      expect(name).toMatch(new RegExp(`^${uniqueName(identity)}_`));
      expect(hashOf(entry)).toBe(hash);
      expect(entry).not.toMatch(/\beval\s*\(/);
    }
  },
  MINUTE,
);

/** Watch a copy of the sources, change one file, and tell what each of two builds left behind. */
async function watchTwice() {
  const work = await mkdtemp(join(tmpdir(), "remote-"));
  await cp(join(ROOM, "src"), join(work, "src"), { recursive: true });
  await symlink(join(ROOM, "node_modules"), join(work, "node_modules"));
  const settings = into(join(work, "dist"), config({ WEBPACK_WATCH: true }));
  const compiler = webpack({ ...settings, context: work });
  const builds = buildsOf(compiler);
  const first = await builds.next();
  await appendFile(join(work, "src", "identity.ts"), "// changed\n");
  const second = await builds.next();
  await promisify(compiler.close.bind(compiler))();
  await rm(work, { recursive: true });
  return [first.value, second.value];
}

async function* buildsOf(compiler) {
  const { outputPath, options } = compiler;
  let built = Promise.withResolvers();
  compiler.watch({ aggregateTimeout: 20 }, (error, stats) =>
    error || stats.hasErrors() ? built.reject(error ?? stats.toString()) : built.resolve(),
  );
  while (true) {
    await built.promise;
    built = Promise.withResolvers();
    const entry = await readFile(join(outputPath, "remoteEntry.js"), "utf8");
    const hash = (await integrityIn(outputPath))["remoteEntry.js"];
    yield { name: options.output.uniqueName, entry, hash };
  }
}
