import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Test files that take more than half a minute, in the order of their duration. The first file takes longest. The
 * durations were measured on a machine with two cores.
 */
const longest = [
  "bootstrap",
  "loop",
  "node",
  "faults",
  "teardown",
  "verify",
  "acceptance",
  "admission",
  "workloads",
  "scripts",
  "scaffold",
  "newcomer",
  "new-component",
  "lockdown",
  "durability",
  "specs",
  "existing-flux",
  "no-dgraph",
  "ownership",
  "external-identity",
  "library",
  "two-roads",
  "shells",
  "migration",
  "incremental",
  "adopt",
  "upgrade",
  "existing-cluster",
].map((name) => `${name}.test.ts`);

/** Starts the longest test files first, so that no long test file runs alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.indexOf(basename(moduleId));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
