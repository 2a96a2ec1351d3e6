// @vitest-environment node
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MINUTE = 60_000;
const ROOM = import.meta.dirname;
const ROOT = join(ROOM, "../..");
const GUIDE = join(ROOT, "docs/sdk-typescript.md");
const BLOCK = /^```(tsx?)\n(.*?)^```/gms;
const run = promisify(execFile);

/** A folder as an author has it: the SDK and React installed, and the strictest settings. */
async function authorsFolder() {
  const folder = await mkdtemp(join(tmpdir(), "guide-"));
  await mkdir(join(folder, "node_modules/@mosaiclife"), { recursive: true });
  await symlink(ROOM, join(folder, "node_modules/@mosaiclife/plugin-sdk"));
  for (const name of ["react", "@types"]) {
    await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  const settings = { extends: join(ROOT, "tsconfig.base.json"), include: ["*.ts", "*.tsx"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  return folder;
}

async function compile(blocks) {
  const folder = await authorsFolder();
  try {
    for (const [index, { language, code }] of blocks.entries()) {
      await writeFile(join(folder, `block${index + 1}.${language}`), code);
    }
    const tsc = join(ROOM, "node_modules/typescript/bin/tsc");
    return await run(process.execPath, [tsc, "--project", folder]).then(
      () => "",
      ({ stdout }) => stdout,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  "every block of code in the guide compiles under strict settings",
  async () => {
    const text = await readFile(GUIDE, "utf8");
    const blocks = [...text.matchAll(BLOCK)].map(([, language, code]) => ({ language, code }));

    expect(blocks.length).toBeGreaterThan(7);
    expect(await compile(blocks)).toBe("");
  },
  MINUTE,
);

test(
  "a block that does not compile is found",
  async () => {
    const code = 'import { nothing } from "@mosaiclife/plugin-sdk";\nnothing();\n';

    expect(await compile([{ language: "ts", code }])).toContain("block1.ts(1,10): error TS2305");
  },
  MINUTE,
);
