import { fileURLToPath } from "node:url";
import TerserPlugin from "terser-webpack-plugin";
import { FreshNamePlugin } from "./webpack/fresh-name-plugin.js";
import { identityConstants, readIdentity, uniqueName } from "./webpack/identity.js";
import { IntegrityPlugin } from "./webpack/integrity-plugin.js";
import { SizeReport } from "./webpack/size-report.js";

const ENTRY = "remoteEntry.js";
export const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The host's React, one copy for both. The fallbacks are fetched only by a host that shares none;
// leaving out a subpath would put a whole renderer into the panel on React 19.
const fromHost = { singleton: true, strictVersion: true, requiredVersion: "^18.3.0 || ^19.0.0" };
const shared = {
  react: fromHost,
  "react-dom": fromHost,
  "react-dom/client": fromHost,
  "react/jsx-runtime": fromHost,
};

export const remote = ({ container }) => ({
  name: container,
  filename: ENTRY,
  exposes: {
    "./Panel": { import: "./src/panel.tsx", name: "panel" },
    "./Commands": { import: "./src/commands.ts", name: "commands" },
    "./Routes": { import: "./src/routes.tsx", name: "routes" },
  },
  shared,
});

export const typescript = {
  test: /\.tsx?$/,
  loader: "swc-loader",
  options: {
    swcrc: false,
    jsc: {
      target: "es2022",
      parser: { syntax: "typescript", tsx: true },
      // The development runtime is not among the shared keys, so it is never used.
      transform: { react: { runtime: "automatic", development: false } },
    },
  },
};

// A style sheet is an object here, adopted by a shadow root: no `style-src` is needed (design §7).
export const styles = {
  test: /\.css$/,
  loader: "css-loader",
  options: { exportType: "css-style-sheet", modules: false, sourceMap: false },
};

/** A plugin of the webpack that runs, which need not be the copy that this file would import. */
export const own = (make) => ({ apply: (compiler) => make(compiler.webpack).apply(compiler) });

/** Build the remote (spec §7.1). `webpack --watch` builds for development. */
export default function config({ WEBPACK_WATCH: watching = false } = {}) {
  const identity = readIdentity();
  return {
    mode: watching ? "development" : "production",
    context: here("."),
    entry: {},
    target: ["web", "es2022"],
    // Never an eval: the host's policy forbids it, in development as in production (spec §7.3).
    devtool: "source-map",
    output: {
      path: here("dist"),
      clean: true,
      publicPath: "auto",
      uniqueName: uniqueName(identity),
      filename: "[name].[contenthash:10].js",
      crossOriginLoading: "anonymous",
    },
    resolve: { extensions: [".ts", ".tsx", ".js"] },
    module: { rules: [typescript, styles] },
    optimization: { minimizer: [new TerserPlugin({ minify: TerserPlugin.swcMinify })] },
    performance: false,
    stats: "errors-warnings",
    plugins: [
      own(({ container }) => new container.ModuleFederationPlugin(remote(identity))),
      own(({ DefinePlugin }) => new DefinePlugin(identityConstants(identity))),
      new IntegrityPlugin({ entry: ENTRY }),
      watching
        ? new FreshNamePlugin((build) => uniqueName(identity, build))
        : new SizeReport({ [identity.container]: 5, panel: 12, routes: 30, commands: 2 }),
    ],
  };
}
