import { expect, test } from "vitest";
import { projectRoot, run } from "../support/tools.ts";

test("--help takes less than three times as long as starting Node", async () => {
  const time = async (args: string[]): Promise<number> => {
    const started = performance.now();
    await run(process.execPath, args);
    return performance.now() - started;
  };
  // The test runs the two commands alternately, and compares the fastest run of each command. If the machine is slow
  // for a short period, the fastest runs do not change.
  const bare: number[] = [];
  const help: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    bare.push(await time(["-e", "0"]));
    help.push(await time([`${projectRoot}dist/cli.js`, "--help"]));
  }
  expect(Math.min(...help)).toBeLessThan(3 * Math.min(...bare));
});
