import { defineConfig, type ViteUserConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

// Limits for what never ends; nothing asserts that something is quick.
const patience = { testTimeout: 600_000, hookTimeout: 600_000 };

const config: ViteUserConfig = defineConfig({
  test: {
    // Runs once, not in every project.
    globalSetup: ["test/support/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...patience,
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: ["test/timing/**"],
          // More workers than the two cores: the tests of scripts and clusters mostly wait.
          maxWorkers: 5,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      // Tests that compare times run last and alone.
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
