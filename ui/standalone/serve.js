/** Build the standalone page, follow edits, and serve it under the policy of a core's pages. */
import { fileIn, watchAndServe } from "../webpack/watch-server.js";
import config from "./webpack.config.js";

const headers = {
  "content-security-policy": [
    ...["default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:"],
    ...["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ].join("; "),
};
const site = {
  host: "127.0.0.1",
  port: Number(process.env.PORT ?? 7002),
  headers,
  fileFor: (path) => fileIn(path) ?? "index.html",
};

watchAndServe(config(), site).on("listening", function () {
  console.log(`The interface alone: http://127.0.0.1:${this.address().port}`);
});
