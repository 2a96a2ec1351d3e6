import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const NAME = "IntegrityPlugin";
const TABLE = "__webpack_require__.integrity";

/** What webpack's script loader does for each chunk; a chunk without a hash is never fetched. */
const DEMAND_INTEGRITY = `
if (!Object.hasOwn(${TABLE}, chunkId)) throw new Error("no integrity known for " + url);
script.integrity = ${TABLE}[chunkId];`;

/** Write the hash of some content as browsers read it. */
function integrityOf(content) {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}

/** Stand in for a chunk's hash until it is known; as long as one, so that source maps stay true. */
function placeholderFor(chunk) {
  return integrityOf(`placeholder of chunk ${chunk.id}`);
}

/** Make the table in the entry's runtime: chunk id -> hash of the chunk's file. */
function integrityTable({ RuntimeModule }) {
  return new (class extends RuntimeModule {
    constructor() {
      super("chunk integrity");
    }

    generate() {
      const chunks = [...this.chunk.getAllAsyncChunks()];
      const rows = chunks.map((chunk) => [chunk.id, placeholderFor(chunk)]);
      return `${TABLE} = ${JSON.stringify(Object.fromEntries(rows))};`;
    }
  })();
}

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
    // Everything from the webpack that runs: a package manager may install two copies, by their
    // optional peers, and the hooks of the other one are never called.
    const { webpack } = compiler;
    const stage = webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_HASH + 1;
    compiler.hooks.thisCompilation.tap(NAME, (compilation) => {
      this.#demandIntegrity(compilation, webpack);
      compilation.hooks.processAssets.tap({ name: NAME, stage }, () => {
        this.#fillTable(compilation, webpack.sources);
        this.list = listOf(compilation);
      });
    });
    compiler.hooks.afterEmit.tapPromise(NAME, ({ outputOptions }) =>
      writeFile(join(outputOptions.path, "integrity.json"), this.list),
    );
  }

  #demandIntegrity(compilation, webpack) {
    const { LoadScriptRuntimeModule } = webpack.runtime;
    const { createScript } = LoadScriptRuntimeModule.getCompilationHooks(compilation);
    createScript.tap(NAME, (source) => source + DEMAND_INTEGRITY);
    compilation.hooks.runtimeRequirementInTree
      .for(webpack.RuntimeGlobals.loadScript)
      .tap(NAME, (chunk) => compilation.addRuntimeModule(chunk, integrityTable(webpack)));
  }

  #fillTable(compilation, { ReplaceSource }) {
    const hashes = new Map();
    for (const chunk of compilation.chunks) {
      const file = [...chunk.files].find(isScript);
      if (file) hashes.set(placeholderFor(chunk), integrityOf(bytesOf(compilation, file)));
    }
    compilation.updateAsset(this.entry, (source) => {
      const filled = new ReplaceSource(source);
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
