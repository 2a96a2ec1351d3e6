import { defineConfig } from "vitest/config";
import { remotePlugin } from "./ui/testing/vitest-plugin.js";

// One run over the three TypeScript packages; each test stands beside the file it tests.
export default defineConfig({
  plugins: [remotePlugin()],
  test: {
    environment: "happy-dom",
    include: ["{ui,core/web,sdk/typescript}/**/*.test.{js,ts,tsx}"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    restoreMocks: true,
    unstubGlobals: true,
    sequence: { shuffle: { tests: true } },
    testTimeout: 10_000,
  },
});
