import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Test files that take more than half a minute. The file that takes longest comes first. The durations were measured on
 * a machine with two cores.
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

/** Starts the test files that take longest first, so that none of them runs alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.indexOf(basename(moduleId));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
