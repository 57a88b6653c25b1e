import { expect, test } from "vitest";
import { projectRoot, run } from "../support/tools.ts";

test("--help costs less than 150 ms, or on a slow machine less than starting Node twice", async () => {
  const time = async (args: string[]): Promise<number> => {
    const started = performance.now();
    await run(process.execPath, args);
    return performance.now() - started;
  };
  // In turns, and the quickest of each: a slow moment of the machine must not count.
  const bare: number[] = [];
  const help: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    bare.push(await time(["-e", "0"]));
    help.push(await time([`${projectRoot}dist/cli.js`, "--help"]));
  }
  const node = Math.min(...bare);
  expect(Math.min(...help) - node).toBeLessThan(Math.max(150, 2 * node));
});
