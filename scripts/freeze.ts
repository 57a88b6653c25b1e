/*
 * Usage: npx tsx scripts/freeze.ts <commit>
 *
 * Creates a frozen repository in test/frozen. A frozen repository contains a platform repository and the age keys that
 * can decrypt its files. The version of meshops at the given commit creates the platform repository with its identities
 * and its generated files. The upgrade tests run the current meshops on the frozen repository.
 *
 * The age keys are created only for the tests, and are not used anywhere else. The certificates are valid for 20 years,
 * so that the tests do not fail because a certificate has expired.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";

const [commit = ""] = process.argv.slice(2);
if (!/^[0-9a-f]{7,40}$/.test(commit)) {
  console.error("usage: npx tsx scripts/freeze.ts <commit>");
  process.exit(2);
}
const project = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "freeze-"));
const [checkout, platform, keys] = ["checkout", "platform", "keys.txt"].map((name) => join(work, name)) as [
  string,
  string,
  string,
];

const run = (program: string, args: readonly string[], cwd: string): string =>
  execFileSync(program, args, { cwd, encoding: "utf8", env: { ...process.env, SOPS_AGE_KEY_FILE: keys, NO_COLOR: "1" } });
const meshops = (...args: readonly string[]): string =>
  run(join(checkout, "node_modules/.bin/tsx"), [join(checkout, "generator/cli.ts"), ...args], work);

try {
  run("git", ["worktree", "add", "--detach", checkout, commit], project);
  run("npm", ["ci", "--no-audit", "--no-fund"], checkout);
  const environments = ["dev", "production", "own"];
  const url = "https://github.com/acme/platform.git";
  meshops("init", platform, "--yes", "--cluster", "aks", "--environments", environments.join(), "--git-url", url);
  edit("base", (spec) => {
    const validity = { anchorValidity: "20y", issuerValidity: "20y", webhookValidity: "20y" };
    spec.setIn(["spec", "linkerd", "identity"], spec.createNode(validity));
  });
  edit("own", (spec) => {
    spec.setIn(["spec", "azure"], null);
    spec.setIn(["spec", "pydgraphClient"], spec.createNode({ image: "ghcr.io/acme/pydgraph-client" }));
  });
  for (const name of environments) {
    meshops("-C", platform, "identity", "keygen", name, "--write");
    meshops("-C", platform, "identity", "init", name);
  }
  meshops("-C", platform, "generate");
  const target = join(project, "test/frozen", run("git", ["rev-parse", "--short=7", commit], project).trim());
  rmSync(target, { recursive: true, force: true });
  cpSync(platform, join(target, "platform"), { recursive: true });
  const head = "# The age keys of this frozen repository. They were made for its tests, and are used nowhere else.\n";
  writeFileSync(join(target, "keys.txt"), head + readFileSync(keys, "utf8"));
} finally {
  run("git", ["worktree", "remove", "--force", checkout], project);
  rmSync(work, { recursive: true, force: true });
}

/** Changes a spec file in environments/ of the platform repository. */
function edit(name: string, change: (spec: ReturnType<typeof parseDocument>) => void): void {
  const path = join(platform, "environments", `${name}.yaml`);
  const spec = parseDocument(readFileSync(path, "utf8"));
  change(spec);
  writeFileSync(path, spec.toString());
}
