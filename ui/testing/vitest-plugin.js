import { readFileSync } from "node:fs";
import { identityConstants } from "../webpack/identity.js";

const MARK = "\0style-sheet:";

/** Give vitest what webpack gives the remote: its identity, and style sheets as objects. */
export function remotePlugin() {
  return {
    name: "remote",
    enforce: "pre",
    config: () => ({ define: identityConstants() }),
    async resolveId(source, importer) {
      if (!source.endsWith(".css")) return null;
      const found = await this.resolve(source, importer, { skipSelf: true });
      return found && `${MARK}${found.id}.js`;
    },
    load(id) {
      if (!id.startsWith(MARK)) return null;
      const text = readFileSync(id.slice(MARK.length, -".js".length), "utf8");
      return `const sheet = new CSSStyleSheet(); sheet.replaceSync(${JSON.stringify(text)}); export default sheet;`;
    },
  };
}
