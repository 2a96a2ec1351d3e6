/**
 * Give each build of a watch its own name. Under a constant one the page keeps running the old
 * chunks after a rebuild, and says nothing (design §7).
 */
export class FreshNamePlugin {
  /** @param {(build: string) => string} nameOf the unique name of a build */
  constructor(nameOf) {
    this.nameOf = nameOf;
  }

  apply(compiler) {
    const { toIdentifier } = compiler.webpack.Template;
    compiler.hooks.watchRun.tap("FreshNamePlugin", ({ options: { output } }) => {
      output.uniqueName = this.nameOf(Date.now().toString(36));
      output.chunkLoadingGlobal = `webpackChunk${toIdentifier(output.uniqueName)}`;
    });
  }
}
