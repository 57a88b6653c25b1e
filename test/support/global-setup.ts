import { execFileSync } from "node:child_process";
import { beginRun } from "./run.ts";
import { projectRoot } from "./tools.ts";

export async function setup(): Promise<() => void> {
  // Some tests run the built command line, so it must be built before the tests.
  execFileSync("npm", ["run", "--silent", "build:js"], { cwd: projectRoot, stdio: "inherit" });
  return beginRun();
}
