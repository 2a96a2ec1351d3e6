import { readFileSync } from "node:fs";
import webpack from "webpack";

const NAME = "IndexPage";

/** Emit `index.html` from *template*, with the entry's scripts and styles under their hashed names. */
export class IndexPage {
  constructor({ template, icon }) {
    this.template = template;
    this.icon = icon;
  }

  apply(compiler) {
    compiler.hooks.thisCompilation.tap(NAME, (compilation) => {
      compilation.fileDependencies.addAll([this.template, this.icon]);
      const stage = webpack.Compilation.PROCESS_ASSETS_STAGE_SUMMARIZE;
      compilation.hooks.processAssets.tap({ name: NAME, stage }, () => this.emit(compilation));
    });
  }

  emit(compilation) {
    const files = [...compilation.entrypoints.values()].flatMap((entry) => entry.getFiles());
    const tags = files.filter((file) => !file.endsWith(".map")).map(tagFor);
    const page = readFileSync(this.template, "utf8").replace(
      "<!-- assets -->",
      tags.join("\n    "),
    );
    compilation.emitAsset("index.html", new webpack.sources.RawSource(page));
    const icon = new webpack.sources.RawSource(readFileSync(this.icon));
    compilation.emitAsset("assets/icon.svg", icon);
  }
}

function tagFor(file) {
  if (file.endsWith(".css")) return `<link rel="stylesheet" href="/${file}" />`;
  return `<script defer src="/${file}"></script>`;
}
