import { execFileSync } from "node:child_process";
import { beginRun } from "./run.ts";
import { projectRoot } from "./tools.ts";

export async function setup(): Promise<() => void> {
  // Tests of the command line run the shipped build.
  execFileSync("npm", ["run", "--silent", "build:js"], { cwd: projectRoot, stdio: "inherit" });
  return beginRun();
}
