import { defineConfig } from "vitest/config";

// One run over the three TypeScript packages; each test stands beside the file it tests.
export default defineConfig({
  test: {
    environment: "happy-dom",
    include: ["{ui,core/web,sdk/typescript}/**/*.test.{ts,tsx}"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    restoreMocks: true,
    unstubGlobals: true,
    sequence: { shuffle: { tests: true } },
    testTimeout: 10_000,
  },
});
