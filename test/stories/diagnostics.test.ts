import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { Repository } from "../../generator/bundle/repository.ts";
import { load, loadAll } from "../../generator/commands/load.ts";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import { toJson, toText } from "../../generator/diagnostics/text.ts";
import { fileRules, specRules } from "../../generator/lint/specs.ts";
import type { Loaded } from "../../generator/spec/load.ts";
import { refusedSpecs } from "../support/hostile.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { brief, loadFiles, specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Each folder in test/stories/diagnostics is a story about one finding code. The folder contains environments/ with an
 * error, and expected.txt with the text output. To rewrite expected.txt, set UPDATE=1. Then review the Git diff.
 */
const folder = join(projectRoot, "test/stories/diagnostics");

/**
 * Folder for copies of the stories. The folder is outside of this Git repository, because meshops compares
 * `gitops.path` with the path of the platform folder in the Git repository that contains it.
 */
const copies = scratchFolder("diagnostics");

const fluxOfOthers = [
  ["namespaces", "flux-system"],
  ["identity", "other"],
]
  .map(([name, namespace]) =>
    JSON.stringify({
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name, namespace },
      spec: { interval: "10m", prune: true, sourceRef: { kind: "GitRepository", name: "flux-system" } },
    }),
  )
  .join("\n---\n");

/** Returns the loaded specs of a repository, and all findings about them. */
function findingsIn(root: string): { loaded: readonly Loaded[]; diagnostics: Diagnostic[] } {
  const repository = new Repository(root);
  return load(repository, repository.environmentNames(), fileRules);
}

function copyOf(story: string): string {
  const root = join(copies, story.replace("/", "-"));
  const platform = story.startsWith("gitops-path-mismatch") ? join(root, "platform/mesh") : root;
  cpSync(join(folder, story), platform, { recursive: true, filter: (path) => path !== join(folder, story, "fixed") });
  if (story.startsWith("gitops-")) mkdirSync(join(root, ".git"));
  // The folder of the story does not contain this file, because `validate` in this Git repository would also read the
  // file there.
  if (story.startsWith("gitops-name-taken")) writeTree(root, { "clusters/production/apps.yaml": fluxOfOthers });
  return platform;
}

const plain = pc.createColors(false);

describe("names of generated objects in the Git repository", () => {
  test("objects in a second platform folder of the same Git repository are not reported", () => {
    const top = join(copies, "two-platforms");
    const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: linkerd}\n";
    for (const each of ["first", "second"]) {
      cpSync(join(folder, "gitops-name-taken/environments"), join(top, each, "environments"), { recursive: true });
      writeTree(join(top, each), { "overlays/dev/namespaces/namespaces.yaml": namespace, "bases/namespaces.yaml": namespace });
    }
    mkdirSync(join(top, ".git"));
    const taken = (): Diagnostic[] =>
      findingsIn(join(top, "first")).diagnostics.filter(({ code }) => code === "gitops-name-taken");
    expect(taken().map(({ message }) => message)).toEqual([expect.stringContaining("second/")]);
    mkdirSync(join(top, "second/.meshops"));
    expect(taken()).toEqual([]);
  });

  test("the sample environments of this repository have no findings", () => {
    expect(brief(findingsIn(projectRoot).diagnostics)).toEqual([]);
  });
});

describe("text output of findings", () => {
  test.each(readdirSync(folder))("%s", (story) => {
    const { diagnostics } = findingsIn(copyOf(story));
    const text = toText(diagnostics, plain);
    const expected = join(folder, story, "expected.txt");
    if (process.env["UPDATE"] === "1") writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, "utf8"));
    expect(text).toContain(` ${story}\n`);
  });

  test.each(specRules.map(({ code }) => code))("the fixed variant of story %s has no findings", (code) => {
    const { loaded, diagnostics } = findingsIn(copyOf(`${code}/fixed`));
    expect(loaded.length).toBeGreaterThan(0);
    expect(brief(diagnostics)).toEqual([]);
  });

  test("every code of a finding has a story", () => {
    const source = readFileSync(join(projectRoot, "generator/diagnostics/diagnostic.ts"), "utf8");
    const codes = [...source.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code ?? "");
    // Codes without a story. Tests in this file, generate.test.ts, cli.test.ts or profile.test.ts check these codes,
    // unless a comment names another file.
    const elsewhere = new Set([
      "file-missing",
      "file-unreadable",
      "file-too-large",
      "file-encoding",
      "file-outside",
      "yaml-alias",
      "yaml-too-deep",
      "too-many-findings",
      "environment-unknown",
      "identity-missing",
      "identity-skipped",
      "identity-invalid",
      "proto-missing",
      "proto-syntax",
      "proto-without-service",
      // Tested in manifests.test.ts.
      "not-checked",
      "template-unrendered",
      // Tested in upgrade.test.ts.
      "scaffold-outdated",
      // Tested in conformance/workload-secrets.test.ts.
      "workload-secret",
      // Tested in conformance/workload-render.test.ts.
      "workload-differs",
      "workload-risk",
      // Tested in existing-linkerd.test.ts.
      "bases-missing",
      "identity-unused",
      // Tested in identity.test.ts.
      "webhook-key-form",
      "issuer-shared",
    ]);
    const isTested = (code: string): boolean =>
      elsewhere.has(code) || existsSync(join(folder, code)) || existsSync(join(folder, "../manifests", code));
    expect(codes.filter((code) => !isTested(code))).toEqual([]);
  });
});

describe("unusual YAML", () => {
  test.each(refusedSpecs)("%s is rejected", (_, text, code) => {
    const { environment, diagnostics } = loadFiles({ dev: text }, "dev");
    expect(environment).toBeNull();
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  });

  test("a few aliases, anchors and merge keys are accepted; the position of an error in an aliased value is that of the anchor", () => {
    const text = specText({ dgraph: undefined }, "dev").replace(
      "spec:",
      "spec:\n  dgraph:\n    alpha: &size {replicas: 5, storage: 20Gi}\n    zero: {<<: *size, replicas: 3}",
    );
    const { environment } = loadFiles({ dev: text }, "dev");
    expect(environment?.spec.dgraph.zero).toMatchObject({ replicas: 3, storage: "20Gi" });
    const broken = loadFiles({ dev: text.replace("20Gi", "20G") }, "dev");
    expect(brief(broken.diagnostics)).toEqual(["environments/dev.yaml:7:41 bad-format"]);
  });

  test("brackets and dashes in comments do not count as nesting", () => {
    const text = specText({}, "dev").replace("spec:", `${"# - [{ ".repeat(30)}\n${"# see [1\n".repeat(70)}spec:`);
    expect(loadFiles({ dev: text }, "dev").diagnostics).toEqual([]);
  });

  test("the position of a finding about an invalid alias is that of the alias", () => {
    expect(brief(loadFiles({ dev: "a: 1\nb: *nowhere\n" }, "dev").diagnostics)).toEqual(["environments/dev.yaml:2:4 yaml-alias"]);
    expect(brief(loadFiles({ dev: "a: &a\n  b:\n    c: *a\n" }, "dev").diagnostics)).toEqual([
      "environments/dev.yaml:3:8 yaml-alias",
    ]);
  });

  test("the text output contains no control characters", () => {
    const { diagnostics } = loadFiles({ dev: 'metadata: {name: "\u001b[31mred\u009b2J"}' }, "dev");
    expect(toText(diagnostics, plain)).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});

describe("inheritance", () => {
  const base = specText(
    {
      abstract: true,
      linkerd: { viz: { enabled: true, grafana: true } },
      dgraph: { alpha: { whitelist: ["10.0.0.0/8"] }, clients: [{ namespace: "a", serviceAccount: "a" }] },
      pydgraphClient: { enabled: false },
    },
    "base",
  );
  const child = (spec: string): string =>
    `apiVersion: meshops.dev/v1alpha1\nkind: Environment\nmetadata: {name: dev}\nspec:\n  extends: base\n${spec}`;

  test("maps are merged, lists are replaced, null removes a key, and abstract is not inherited", () => {
    const spec = "  linkerd: {viz: {grafana: null}}\n  dgraph: {alpha: {whitelist: [10.1.0.0/16]}, clients: null}\n";
    const { environment, diagnostics } = loadFiles({ base, dev: child(spec) }, "dev");
    expect(diagnostics).toEqual([]);
    expect(environment?.spec.abstract).toBe(false);
    expect(environment?.spec.linkerd.viz).toEqual({ enabled: true, grafana: false });
    expect(environment?.spec.dgraph.alpha.whitelist).toEqual(["10.1.0.0/16"]);
    expect(environment?.spec.dgraph.clients).toEqual([]);
  });

  test("a chain of several files is supported, and the nearest file takes precedence", () => {
    const link = (name: string, parent: string, tag: string): string =>
      `apiVersion: meshops.dev/v1alpha1\nkind: Environment\nmetadata: {name: ${name}}\nspec: {extends: ${parent}, abstract: true, pydgraphClient: {tag: "${tag}"}}\n`;
    const files = {
      base,
      middle: link("middle", "base", "1"),
      top: link("top", "middle", "2"),
      dev: child("").replace("extends: base", "extends: top"),
    };
    expect(loadFiles(files, "dev").environment?.spec.pydgraphClient.tag).toBe("2");
  });

  test("an error in an inherited value is reported once, at its position in the base", () => {
    const broken = base.replace("10.0.0.0/8", "10.0.0.0/99");
    const { diagnostics } = loadFiles({ base: broken, dev: child("") }, "dev");
    expect(diagnostics.map(({ file, code }) => `${file} ${code}`)).toEqual(["environments/base.yaml bad-format"]);
    const even = base.replace("dgraph:\n", "dgraph:\n    zero: {replicas: 2}\n");
    expect(
      loadFiles({ base: even, dev: child("") }, "dev").diagnostics.map(
        ({ file, excerpt, code }) => `${file} ${code} ${excerpt?.text.trim()}`,
      ),
    ).toEqual(["environments/base.yaml dgraph-zero-even zero: {replicas: 2}"]);
  });

  test("if a value conflicts with a default, the position of the finding is that of the value, not that of a value that null has removed", () => {
    const validity = (spec: string): string => child(`  linkerd: {identity: ${spec}}\n`);
    const lower = base.replace("viz:", "identity: {issuerValidity: 100d}\n    viz:");
    const middle = validity("null")
      .replace("name: dev", "name: middle")
      .replace("extends: base", "extends: base\n  abstract: true");
    const dev = validity("{anchorValidity: 300d}").replace("extends: base", "extends: middle");
    const { diagnostics } = loadFiles({ base: lower, middle, dev }, "dev");
    expect(diagnostics.map(({ file, code, excerpt }) => `${file} ${code} ${excerpt?.text.trim()}`)).toEqual([
      "environments/dev.yaml identity-issuer-outlives-anchor linkerd: {identity: {anchorValidity: 300d}}",
    ]);
  });

  test("if a spec contains an unknown key, meshops still checks the rules", () => {
    const { environment, diagnostics } = loadFiles(
      { base, dev: child("  linkred: {}\n  dgraph: {zero: {replicas: 4}}\n") },
      "dev",
    );
    expect(environment).toBeNull();
    expect(diagnostics.map(({ code }) => code)).toEqual(["unknown-key", "dgraph-zero-even"]);
  });

  test("a single mistake causes only one finding", () => {
    const codes = (text: string): string[] =>
      loadFiles({ base, dev: text }, "dev").diagnostics.map(({ code, message }) => `${code} ${message}`);
    expect(codes(child("").replace(/spec:[\s\S]*/, "spec:\n"))).toEqual(['wrong-type "spec" is empty']);
    expect(codes(child("").replace("extends: base", "extends: Base!"))).toEqual(['bad-format "extends" cannot be "Base!"']);
    expect(codes(child("  dgraph: {chart: 24.1}\n"))).toEqual(['wrong-type "chart" is 24.1']);
  });

  test("the fix for an unquoted number contains the number as written in the file", () => {
    const { diagnostics } = loadFiles({ base, dev: child("  pydgraphClient: {tag: 1.0}\n") }, "dev");
    expect(diagnostics.map(({ fix }) => fix)).toEqual(['quote the value: "1.0"']);
  });

  test("keys such as __proto__ and constructor have no special effect", () => {
    const { diagnostics } = loadFiles({ base, dev: child("  __proto__: {abstract: true}\n  constructor: 1\n") }, "dev");
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'unknown-key unknown key "__proto__"',
      'unknown-key unknown key "constructor"',
    ]);
    expect(({} as Record<string, unknown>)["abstract"]).toBeUndefined();
  });
});

test("a finding in the JSON output has exactly the documented fields", () => {
  const { diagnostics } = loadAll(new Repository(copyOf("unknown-key")), []);
  const rows = JSON.parse(toJson(diagnostics)) as object[];
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(Object.keys(row)).toEqual(["file", "line", "column", "code", "severity", "message", "fix"]);
});
