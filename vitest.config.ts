import { defineConfig, type ViteUserConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

// Time limits for tests that hang. No test depends on a short duration.
const patience = { testTimeout: 600_000, hookTimeout: 600_000 };

const config: ViteUserConfig = defineConfig({
  test: {
    // Runs only once, not once per project.
    globalSetup: ["test/support/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...patience,
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: ["test/timing/**"],
          // More workers than CPU cores (2), because the tests of scripts and clusters mostly wait.
          maxWorkers: 6,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      // Tests that compare times run last, and one at a time.
      {
        test: {
          ...patience,
          name: "timing",
          include: ["test/timing/*.test.ts"],
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
