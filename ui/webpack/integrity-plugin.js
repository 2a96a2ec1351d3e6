import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import webpack from "webpack";

const { Compilation, RuntimeGlobals, RuntimeModule, Template, sources } = webpack;

const NAME = "IntegrityPlugin";
const TABLE = `${RuntimeGlobals.require}.integrity`;
const AFTER_CONTENT_HASHES = Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_HASH + 1;

/** Write the hash of some content as browsers read it. */
export function integrityOf(content) {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}

/** Stand in for a chunk's hash until it is known; as long as one, so that source maps stay true. */
function placeholderFor(chunk) {
  return integrityOf(`placeholder of chunk ${chunk.id}`);
}

/** The table in the entry's runtime: chunk id -> hash of the chunk's file. */
class IntegrityTable extends RuntimeModule {
  constructor() {
    super("chunk integrity");
  }

  generate() {
    const rows = [...this.chunk.getAllAsyncChunks()].map((chunk) => [
      chunk.id,
      placeholderFor(chunk),
    ]);
    return `${TABLE} = ${JSON.stringify(Object.fromEntries(rows))};`;
  }
}

/** What webpack's script loader does for each chunk; a chunk without a hash is never fetched. */
const DEMAND_INTEGRITY = Template.asString([
  `script.integrity = ${TABLE}[chunkId];`,
  `if(!Object.hasOwn(${TABLE}, chunkId)) throw new Error("no integrity known for " + url);`,
]);

/**
 * Let no byte run that this build did not make: the entry demands the hash of each chunk, and
 * `integrity.json` names the hash of every file, for whoever registers the entry (design §7).
 *
 * That file is written last, when all others lie on the disk. A folder whose files match it is
 * therefore whole; one whose files do not is being written.
 */
export class IntegrityPlugin {
  /** @param {{ entry: string }} options the file name of the container's entry */
  constructor({ entry }) {
    this.entry = entry;
  }

  apply(compiler) {
    compiler.hooks.thisCompilation.tap(NAME, (compilation) => {
      this.#demandIntegrity(compilation);
      compilation.hooks.processAssets.tap({ name: NAME, stage: AFTER_CONTENT_HASHES }, () => {
        this.#fillTable(compilation);
        this.list = listOf(compilation);
      });
    });
    compiler.hooks.afterEmit.tapPromise(NAME, ({ outputOptions }) =>
      writeFile(join(outputOptions.path, "integrity.json"), this.list),
    );
  }

  #demandIntegrity(compilation) {
    // From the compiler that runs: pnpm may install webpack twice, by its optional peers, and the
    // hooks of the other copy are never called.
    const { LoadScriptRuntimeModule } = compilation.compiler.webpack.runtime;
    const { createScript } = LoadScriptRuntimeModule.getCompilationHooks(compilation);
    createScript.tap(NAME, (source) => Template.asString([source, DEMAND_INTEGRITY]));
    compilation.hooks.runtimeRequirementInTree
      .for(RuntimeGlobals.loadScript)
      .tap(NAME, (chunk) => compilation.addRuntimeModule(chunk, new IntegrityTable()));
  }

  #fillTable(compilation) {
    const hashes = new Map();
    for (const chunk of compilation.chunks) {
      const file = [...chunk.files].find(isScript);
      if (file) hashes.set(placeholderFor(chunk), integrityOf(bytesOf(compilation, file)));
    }
    compilation.updateAsset(this.entry, (source) => {
      const filled = new sources.ReplaceSource(source);
      for (const { start, text } of placeholdersIn(source.source().toString(), hashes)) {
        filled.replace(start, start + text.length - 1, hashes.get(text));
      }
      return filled;
    });
  }
}

function isScript(file) {
  return file.endsWith(".js");
}

function bytesOf(compilation, file) {
  return compilation.getAsset(file).source.buffer();
}

function* placeholdersIn(code, hashes) {
  for (const { 0: text, index } of code.matchAll(/sha384-[A-Za-z0-9+/]{64}/g)) {
    if (hashes.has(text)) yield { start: index, text };
  }
}

function listOf(compilation) {
  const files = Object.keys(compilation.assets).filter(isScript).sort();
  const rows = files.map((file) => [file, integrityOf(bytesOf(compilation, file))]);
  return `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`;
}
