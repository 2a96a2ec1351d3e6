import { fileURLToPath } from "node:url";
import MiniCssExtractPlugin from "mini-css-extract-plugin";
import TerserPlugin from "terser-webpack-plugin";
import { IndexPage } from "./webpack/index-page.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const typescript = {
  test: /\.tsx?$/,
  loader: "swc-loader",
  options: {
    swcrc: false,
    jsc: {
      target: "es2022",
      parser: { syntax: "typescript", tsx: true },
      // The runtime that remotes share: the development one would be a second copy.
      transform: { react: { runtime: "automatic", development: false } },
    },
  },
};

// A file of its own, because the page's policy forbids inline styles (spec §13).
const styles = { test: /\.css$/, use: [MiniCssExtractPlugin.loader, "css-loader"] };

/** Build the shell: `dist/index.html`, and hashed files below `dist/assets`. */
export default function config({ WEBPACK_WATCH: watching = false } = {}) {
  return {
    mode: watching ? "development" : "production",
    context: here("."),
    entry: { shell: "./src/main.tsx" },
    target: ["web", "es2022"],
    // Never an eval: the policy forbids it, in development as in production (spec §7.3).
    devtool: "source-map",
    output: {
      path: here("dist"),
      clean: true,
      publicPath: "/",
      uniqueName: "mosaiclife_devcore",
      filename: "assets/[name].[contenthash:10].js",
    },
    resolve: { extensions: [".ts", ".tsx", ".js"] },
    module: { rules: [typescript, styles] },
    optimization: { minimizer: [new TerserPlugin({ minify: TerserPlugin.swcMinify })] },
    performance: false,
    infrastructureLogging: { level: "warn" },
    stats: "errors-warnings",
    plugins: [
      new MiniCssExtractPlugin({ filename: "assets/[name].[contenthash:10].css" }),
      new IndexPage({ template: here("src/index.html"), icon: here("src/icon.svg") }),
    ],
  };
}
