import { readFileSync } from "node:fs";

const NAME = "IndexPage";

/** Emit `index.html` from *template*, with the entry's scripts and styles under their hashed names. */
export class IndexPage {
  constructor({ template, icon }) {
    this.template = template;
    this.icon = icon;
  }

  apply(compiler) {
    const { Compilation, sources } = compiler.webpack;
    compiler.hooks.thisCompilation.tap(NAME, (compilation) => {
      compilation.fileDependencies.addAll([this.template, this.icon]);
      const stage = Compilation.PROCESS_ASSETS_STAGE_SUMMARIZE;
      compilation.hooks.processAssets.tap({ name: NAME, stage }, () => {
        const emit = (name, content) => compilation.emitAsset(name, new sources.RawSource(content));
        emit("index.html", this.page(compilation));
        emit("assets/icon.svg", readFileSync(this.icon));
      });
    });
  }

  page(compilation) {
    const files = [...compilation.entrypoints.values()].flatMap((entry) => entry.getFiles());
    const tags = files.filter((file) => !file.endsWith(".map")).map(tagFor);
    return readFileSync(this.template, "utf8").replace("<!-- assets -->", tags.join("\n    "));
  }
}

function tagFor(file) {
  if (file.endsWith(".css")) return `<link rel="stylesheet" href="/${file}" />`;
  return `<script defer src="/${file}"></script>`;
}
