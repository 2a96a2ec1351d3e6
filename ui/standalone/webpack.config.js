import { readFileSync } from "node:fs";
import { identityConstants } from "../webpack/identity.js";
import { here, own, styles, typescript } from "../webpack.config.js";

const PAGE = here("standalone/index.html");

/** Put the page beside its script. */
const page = own(({ Compilation, sources }) => ({
  apply: (compiler) =>
    compiler.hooks.thisCompilation.tap("Page", (compilation) => {
      const stage = Compilation.PROCESS_ASSETS_STAGE_ADDITIONAL;
      compilation.fileDependencies.add(PAGE);
      compilation.hooks.processAssets.tap({ name: "Page", stage }, () =>
        compilation.emitAsset("index.html", new sources.RawSource(readFileSync(PAGE))),
      );
    }),
}));

/** Build the page on which the plugin's interface stands alone, over a core that is played. */
export default function config() {
  return {
    mode: "development",
    context: here("."),
    entry: { standalone: "./standalone/main.tsx" },
    target: ["web", "es2022"],
    devtool: "source-map",
    output: { path: here("standalone/dist"), filename: "[name].js", clean: true },
    resolve: { extensions: [".ts", ".tsx", ".js"] },
    module: { rules: [typescript, styles] },
    performance: false,
    stats: "errors-warnings",
    plugins: [page, own(({ DefinePlugin }) => new DefinePlugin(identityConstants()))],
  };
}
