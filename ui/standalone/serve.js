/** Build the standalone page, follow edits, and serve it under the policy of a core's pages. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import webpack from "webpack";
import config from "./webpack.config.js";

const PORT = Number(process.env.PORT ?? 7002);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".map": "application/json" };
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": [
    ...["default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:"],
    ...["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ].join("; "),
};

const compiler = webpack(config());
compiler.watch({ aggregateTimeout: 50 }, (error, stats) => {
  const text = error ? String(error) : stats.toString(compiler.options.stats);
  if (text) console.log(text);
});

createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, "http://page");
  const name = /^\/[\w.-]+\.(js|map)$/.test(pathname) ? pathname : "/index.html";
  try {
    const body = await readFile(join(compiler.outputPath, name));
    response.writeHead(200, { ...HEADERS, "content-type": TYPES[extname(name)] }).end(body);
  } catch {
    // The first build is still under way.
    response.writeHead(503, { ...HEADERS, "retry-after": "1" }).end();
  }
}).listen(PORT, "127.0.0.1", function () {
  console.log(`The interface alone: http://127.0.0.1:${this.address().port}`);
});
