/**
 * The React that remotes use: one copy for the page, in four keys, because React 19 keeps its
 * renderer in `react-dom/client`, and a key that is not shared is loaded a second time.
 */
import type { SharedLibrary } from "@mosaiclife/plugin-sdk/host";
import * as React from "react";
import * as ReactDOM from "react-dom";
import * as ReactDOMClient from "react-dom/client";
import * as jsxRuntime from "react/jsx-runtime";
import reactDomPackage from "react-dom/package.json";
import reactPackage from "react/package.json";

const react = reactPackage.version;
const reactDom = reactDomPackage.version;

export const shared: Readonly<Record<string, SharedLibrary>> = {
  react: { version: react, lib: () => React },
  "react-dom": { version: reactDom, lib: () => ReactDOM },
  "react-dom/client": { version: reactDom, lib: () => ReactDOMClient },
  "react/jsx-runtime": { version: react, lib: () => jsxRuntime },
};
