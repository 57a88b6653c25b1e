import { defineConfig, type ViteUserConfig } from "vitest/config";

const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

const config: ViteUserConfig = defineConfig({
  test: {
    // Once, not in every project.
    globalSetup: ["test/support/global-setup.ts"],
    projects: [
      // What measures time has the machine for itself, before the others.
      { test: { ...patience, name: "timing", include: ["test/timing/*.test.ts"], maxWorkers: 1, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...patience,
          name: "product",
          include: ["test/**/*.test.ts"],
          exclude: ["test/timing/**"],
          // More than cores: the tests of scripts and clusters mostly wait.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
