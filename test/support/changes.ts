import { expect } from "vitest";
import { meshops } from "./cli.ts";
import { scratchFolder, writeTree } from "./platform.ts";
import { run } from "./tools.ts";

/** A change in the JSON output of `meshops diff`. */
export interface Row {
  readonly kind: string;
  readonly name: string;
  readonly change: string;
  readonly risk: string;
  readonly reason: string;
  readonly steps: readonly { readonly text: string; readonly command: string | null }[];
}

/**
 * Commits the bundle of one spec of the environment `shop` to a new Git repository. Then replaces the spec and returns
 * the changes that `meshops diff` reports.
 *
 * @param before committed spec; null if the environment is new
 * @param after new spec
 * @param files other files in the commit, keyed by path
 */
export async function changesBetween(
  before: string | null,
  after: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Row[]> {
  const folder = scratchFolder("workload-changes");
  const git = (...args: string[]): Promise<string> =>
    run("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args]);
  await git("init", "--quiet");
  writeTree(folder, { ...files, ...(before === null ? { "README.md": "" } : { "environments/shop.yaml": before }) });
  if (before !== null) {
    const { code, stderr } = await meshops(folder, ["generate"]);
    expect(code, stderr).toBe(0);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "before");
  writeTree(folder, { "environments/shop.yaml": after });
  const { stdout, stderr } = await meshops(folder, ["diff", "shop", "-o", "json"]);
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as Row[];
}
