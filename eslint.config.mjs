import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

/** Refuse imports of `group` in `files`, and say why. */
const ban = (files, group, message) => ({
  files: [files],
  rules: {
    "@typescript-eslint/no-restricted-imports": ["error", { patterns: [{ group, message }] }],
  },
});

export default ts.config(
  { ignores: ["**/dist/**", "**/node_modules/**", ".state/**", ".tools/**", ".venv/**"] },
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@typescript-eslint": ts.plugin },
  },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    // Build configurations run in Node and are not part of a TypeScript project.
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: { Buffer: "readonly", URL: "readonly", console: "readonly", process: "readonly" },
    },
  },
  {
    files: ["*.config.ts"],
    extends: [ts.configs.disableTypeChecked],
    rules: { "no-restricted-exports": "off" },
  },
  ban(
    "ui/src/**",
    [
      "**/core/**",
      "**/sdk/typescript/**",
      "@mosaiclife/devcore-web*",
      "@mosaiclife/plugin-sdk/host",
    ],
    "The remote sees the host only through @mosaiclife/plugin-sdk.",
  ),
  ban(
    "core/web/**",
    ["**/ui/**", "*-ui", "*-ui/*"],
    "The host loads remotes by URL, never by import.",
  ),
  ban(
    "sdk/typescript/**",
    ["**/ui/**", "**/core/**"],
    "The SDK is below both the remote and the host.",
  ),
  {
    files: ["ui/src/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        { name: "fetch", message: "Use sdk.http: core adds the tenant and the token." },
        { name: "XMLHttpRequest", message: "Use sdk.http." },
        { name: "EventSource", message: "Use sdk.events." },
      ],
    },
  },
  {
    // The two modules that Module Federation asks for a default, and where tests reach inside.
    files: ["ui/src/panel.tsx", "ui/src/routes.tsx"],
    rules: { "no-restricted-exports": "off" },
  },
);
