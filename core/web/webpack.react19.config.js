import { fileURLToPath } from "node:url";
import config from "./webpack.config.js";

const installed = (name) => fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));

/** For tests: the same shell on the next React, which remotes must run on too (design §7). */
export default function onReact19(env) {
  const settings = config(env);
  const alias = { react: installed("react-19"), "react-dom": installed("react-dom-19") };
  return { ...settings, resolve: { ...settings.resolve, alias } };
}
