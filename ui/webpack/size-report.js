import { gzipSync } from "node:zlib";

const KIB = 1024;

/** Say what a page fetches for each exposed part, gzipped, and refuse a build above its budget. */
export class SizeReport {
  /** @param {Record<string, number>} budgets chunk group -> KiB gzipped */
  constructor(budgets) {
    this.budgets = budgets;
  }

  apply(compiler) {
    const stage = compiler.webpack.Compilation.PROCESS_ASSETS_STAGE_REPORT;
    compiler.hooks.thisCompilation.tap("SizeReport", (compilation) => {
      compilation.hooks.processAssets.tap({ name: "SizeReport", stage }, () => {
        for (const line of measure(compilation, this.budgets)) report(compiler, compilation, line);
      });
    });
  }
}

/** Measure each named group of chunks as a browser fetches it. */
export function measure(compilation, budgets) {
  return Object.entries(budgets).map(([group, budget]) => {
    const files = compilation.namedChunkGroups.get(group).getFiles();
    const scripts = files.filter((file) => file.endsWith(".js"));
    return { group, budget, size: sum(scripts.map((file) => gzipped(compilation, file))) };
  });
}

function report(compiler, compilation, { group, budget, size }) {
  const text = `${group}: ${size.toFixed(2)} KiB gzip of ${budget} KiB`;
  compiler.getInfrastructureLogger("sizes").info(text);
  if (size > budget)
    compilation.errors.push(new compiler.webpack.WebpackError(`Too large: ${text}`));
}

function gzipped(compilation, file) {
  return gzipSync(compilation.getAsset(file).source.buffer()).length / KIB;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
