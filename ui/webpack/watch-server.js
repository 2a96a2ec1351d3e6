import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import webpack from "webpack";

const TYPES = { ".html": "text/html", ".js": "text/javascript" };
const ALWAYS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * Build on each edit, and serve what was built last.
 *
 * @param {object} settings what webpack builds
 * @param {{ host: string, port: number, headers: object, fileFor: (path: string) => string }} site
 */
export function watchAndServe(settings, { host, port, headers, fileFor }) {
  const compiler = webpack(settings);
  compiler.watch({ aggregateTimeout: 50 }, (error, stats) => {
    const text = error ? String(error) : stats.toString(compiler.options.stats);
    if (text) console.log(text);
  });
  const server = createServer(async ({ url }, response) => {
    const name = fileFor(new URL(url, "http://page").pathname);
    const type = TYPES[extname(name)] ?? "application/json";
    try {
      const body = await readFile(join(compiler.outputPath, name));
      response.writeHead(200, { ...ALWAYS, ...headers, "content-type": type }).end(body);
    } catch {
      // The first build is still under way, or there is no such file.
      response.writeHead(503, { ...ALWAYS, ...headers, "retry-after": "1" }).end();
    }
  });
  const end = () => process.exit(0);
  process.on("SIGTERM", end).on("SIGINT", end);
  return server.listen(port, host);
}

/** Return the name of a built file that a path asks for, if it can be one. */
export function fileIn(path) {
  return /^\/[\w.-]+\.(js|json|map)$/.test(path) ? path : undefined;
}
