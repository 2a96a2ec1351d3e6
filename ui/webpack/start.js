/** Serve the remote while it is worked on: each edit is another build for core to fetch (spec §12). */
import config from "../webpack.config.js";
import { fileIn, watchAndServe } from "./watch-server.js";

const { HOST: host = "127.0.0.1", PORT: port = 7002 } = process.env;
const headers = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
};
const fileFor = (path) => fileIn(path) ?? "remoteEntry.js";

const settings = config({ WEBPACK_WATCH: true });
// What was built last stays until an edit can be built.
settings.optimization.emitOnErrors = false;

watchAndServe(settings, { host, port: Number(port), headers, fileFor }).on("listening", () =>
  console.log(`The remote: http://${host}:${port}/remoteEntry.js`),
);
