import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform, readTree, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { run } from "../support/tools.ts";

/*
 * Tests merges of two branches. In each branch, a user has changed specs and has run `generate`. Git can merge the
 * specs, but not the generated files. The next `generate` must resolve all conflicts in generated files.
 */

interface Case {
  readonly ours: (root: string) => void;
  readonly theirs: (root: string) => void;
  /** Paths for which Git must report a conflict. Git may report other paths too. */
  readonly conflicts: readonly string[];
}

const spec = [
  "apiVersion: meshops.dev/v1alpha1",
  "kind: Environment",
  "metadata: {name: dev}",
  "spec:",
  "  extends: base",
  "  linkerd:",
  "    version: edge-25.4.4",
  "    # Between the two.",
  "    viz:",
  "      enabled: true",
  "    # Between the two.",
  "  # Between the two.",
  "  dgraph:",
  "    # Between the two.",
  "    alpha:",
  "      replicas: 3",
  "      # Between the two.",
  "      storage: 10Gi",
  "",
].join("\n");

function edit(from: string, to: string, file = "environments/dev.yaml"): (root: string) => void {
  return (root) => {
    const before = readFileSync(join(root, file), "utf8");
    expect(before).toContain(from);
    writeFileSync(join(root, file), before.replace(from, to));
  };
}

/** Returns a function that adds an environment to a repository. The environment has the identity of the test run. */
function add(name: string): (root: string) => void {
  return (root) => {
    const files = Object.entries(readTree(makePlatform({ [name]: spec.replace("name: dev", `name: ${name}`) })));
    writeTree(root, Object.fromEntries(files.filter(([path]) => !path.startsWith("bases/"))));
  };
}

const cases: Readonly<Record<string, Case>> = {
  "different fields of one environment": {
    ours: edit("version: edge-25.4.4", "version: edge-25.10.7"),
    theirs: edit("storage: 10Gi", "storage: 20Gi"),
    conflicts: [".meshops/dev.json"],
  },
  "fields that reach the same generated file": {
    ours: edit("  dgraph:", "  dgraph:\n    release: prod"),
    theirs: edit("storage: 10Gi", "storage: 20Gi\n    internalPorts: skip"),
    conflicts: [".meshops/dev.json", "overlays/dev/dgraph/patches.yaml"],
  },
  "a field of the environment and a field of the base": {
    ours: edit("replicas: 3", "replicas: 5"),
    theirs: edit("abstract: true", "abstract: true\n  linkerd: {highAvailability: true}", "environments/base.yaml"),
    conflicts: [".meshops/dev.json"],
  },
  "a removed component and a change to it": {
    ours: edit("enabled: true", "enabled: false"),
    theirs: edit("version: edge-25.4.4", "version: edge-25.10.7"),
    conflicts: [".meshops/dev.json", "overlays/dev/linkerd-viz/release.yaml"],
  },
  "a component that both branches add, with different versions": {
    ours: edit("    viz:", "    jaeger:\n      enabled: true\n    viz:"),
    theirs: (root) => {
      edit("    viz:", "    jaeger:\n      enabled: true\n    viz:")(root);
      edit("replicas: 3", "replicas: 5")(root);
      edit("version: edge-25.4.4", "version: edge-25.10.7")(root);
    },
    conflicts: [".meshops/dev.json", "overlays/dev/linkerd-jaeger/kustomization.yaml"],
  },
  "one new environment per branch": {
    ours: add("one"),
    theirs: add("other"),
    conflicts: [".meshops/_root.json", "helmfile.yaml"],
  },
  "a removed environment and a change to it": {
    ours: (root) => rmSync(join(root, "environments/qa.yaml")),
    theirs: edit("abstract: true", "abstract: true\n  linkerd: {highAvailability: true}", "environments/base.yaml"),
    conflicts: [".meshops/qa.json", "overlays/qa/linkerd-viz/values.yaml"],
  },
};

describe("generate after a merge of two branches", () => {
  test.each(Object.entries(cases))("%s", async (_, change) => {
    const root = await merged(change);
    const conflicts = (await git(root, "diff", "--name-only", "--diff-filter=U")).trim().split("\n");
    expect(conflicts.filter((path) => path.startsWith("environments/"))).toEqual([]);
    expect(conflicts).toEqual(expect.arrayContaining([...change.conflicts]));
    expect((await meshops(root, ["generate", "--check"])).code).toBe(1);
    expect(await meshops(root, ["generate"])).toMatchObject({ code: 0 });
    await expectGenerated(root);
  });

  test.each([
    ["keeping both sides, which is not JSON", (text: string) => `${text.replaceAll(/^[<=>|]{7}.*\n/gm, "")},`],
    ["keeping both sides as JSON", (text: string) => text.replaceAll(/^[<=>|]{7}.*\n/gm, "")],
    ["losing one side", (text: string) => text.replaceAll(/^=======\n[\s\S]*?^>{7}.*\n/gm, "").replaceAll(/^<{7}.*\n/gm, "")],
  ])("an inventory whose conflict was resolved by hand, %s", async (_, resolve) => {
    const root = await merged({
      ours: edit("version: edge-25.4.4", "version: edge-25.10.7"),
      theirs: edit("storage: 10Gi", "storage: 20Gi"),
    });
    const file = join(root, ".meshops/dev.json");
    writeFileSync(file, resolve(readFileSync(file, "utf8")));
    expect(await meshops(root, ["generate"])).toMatchObject({ code: 0 });
    await expectGenerated(root);
  });

  test.each(["merge", "diff3", "zdiff3"])("conflicts in style %s", async (style) => {
    const root = await merged(
      { ours: edit("version: edge-25.4.4", "version: edge-25.10.7"), theirs: edit("enabled: true", "enabled: false") },
      style,
    );
    expect(readFileSync(join(root, ".meshops/dev.json"), "utf8")).toContain("<<<<<<<");
    expect(await meshops(root, ["generate"])).toMatchObject({ code: 0 });
    await expectGenerated(root);
  });
});

/**
 * Creates a repository in which Git has stopped the merge of two branches because of conflicts. Before the merge, the
 * specs were changed in each branch, and `generate` was run.
 *
 * @param style value of Git's setting merge.conflictStyle
 */
async function merged({ ours, theirs }: Pick<Case, "ours" | "theirs">, style = "merge"): Promise<string> {
  const base = specText({ abstract: true, gitops: { url: "https://github.com/acme/platform", branch: "main" } }, "base");
  const root = makePlatform({ dev: spec, qa: spec.replace("name: dev", "name: qa") });
  // specText also writes the recipients of the test run into base.yaml.
  writeTree(root, { "environments/base.yaml": base });
  await git(root, "init", "-q", "-b", "main");
  await git(root, "config", "merge.conflictStyle", style);
  await generated(root);
  await git(root, "branch", "theirs");
  ours(root);
  await generated(root);
  await git(root, "checkout", "-q", "theirs");
  theirs(root);
  await generated(root);
  await git(root, "checkout", "-q", "main");
  await expect(git(root, "merge", "-q", "theirs")).rejects.toThrow();
  return root;
}

async function generated(root: string): Promise<void> {
  expect(await generateIn(root)).toBe(0);
  await git(root, "add", "-A");
  await git(root, "commit", "-qm", "generated");
}

/**
 * Expects that all generated files and inventories are correct. To check this, removes all of these files except the
 * encrypted files, and compares them with the files that the next `generate` writes.
 */
async function expectGenerated(root: string): Promise<void> {
  expect(await meshops(root, ["generate", "--check"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^[0-9]+ files up to date\n$/),
  });
  const tree = (): Record<string, string> =>
    Object.fromEntries(Object.entries(readTree(root)).filter(([path]) => /^(overlays|flux|\.meshops|helmfile\.yaml)/.test(path)));
  const resolved = tree();
  for (const path of Object.keys(resolved)) if (!path.endsWith(".sops.yaml")) rmSync(join(root, path));
  expect(await generateIn(root)).toBe(0);
  expect(tree()).toEqual(resolved);
}

async function git(root: string, ...args: string[]): Promise<string> {
  return run("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args]);
}
