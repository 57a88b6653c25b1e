import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { applyPlan } from "../../generator/bundle/apply.ts";
import { basesOf, Inputs } from "../../generator/bundle/inputs.ts";
import { parseInventory } from "../../generator/bundle/inventory.ts";
import { Repository } from "../../generator/bundle/repository.ts";
import { type Prepared, prepareToWrite } from "../../generator/commands/generate/prepare.ts";
import { sha256 } from "../../generator/system/hash.ts";
import { type Finished, meshops, testIo } from "../support/cli.ts";
import { makePlatform, readTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

/*
 * Tests a repository with ten environments. `generate` skips an environment if the inventory matches the inputs and the
 * generated files of the environment. The tests check that `generate` detects every change. They compare the result
 * with `generate --check`, which always renders all environments.
 */
let root: string;

const names = Array.from({ length: 10 }, (_, index) => `env-${index}`);
const clients = [{ namespace: "pydgraph-client", serviceAccount: "pydgraph-client" }];
const inventory = (name: string): string => `.meshops/${name}.json`;

function generate(...args: string[]): Promise<Finished> {
  return meshops(root, ["generate", ...args]);
}

/** Returns the changes that `generate` would make, and the environments that it would skip. Writes no files. */
function prepared(): Prepared {
  const result = prepareToWrite(testIo(root).io, new Repository(root), [], false);
  if (result === null) throw new Error("the specs have errors");
  return result;
}

/** Returns the names of the environments that `generate` would render. */
function rendered(): string[] {
  const passedOver = new Set(prepared().passedOver.map(({ owner }) => owner));
  return names.filter((name) => !passedOver.has(name));
}

const read = (file: string): string => readFileSync(join(root, file), "utf8");

const edit = (file: string, from: string | RegExp, to: string): void => {
  const before = read(file);
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(join(root, file), after);
};

beforeEach(async () => {
  const base = `apiVersion: meshops.dev/v1alpha1\nkind: Environment\nmetadata: {name: base}\nspec:\n  abstract: true\n  gitops: {branch: main}\n  dgraph: {alpha: {storage: 10Gi}}\n`;
  const own = names.map((name) => [
    name,
    specText({ extends: "base", linkerd: { jaeger: { enabled: true } }, dgraph: { clients } }, name),
  ]);
  root = makePlatform({ base, ...Object.fromEntries(own) });
  expect((await generate()).code).toBe(0);
});

test("a second run renders no environment, but its output counts the files of all environments", async () => {
  expect(rendered()).toEqual([]);
  const before = readTree(root);
  expect((await generate()).stdout).toContain("0 files written, 0 removed, 421 unchanged");
  const rows = JSON.parse((await generate("--output", "json")).stdout) as { owner: string; unchanged: number }[];
  expect(rows.map(({ owner }) => owner).sort()).toEqual(["_root", ...names]);
  expect(rows.reduce((sum, { unchanged }) => sum + unchanged, 0)).toBe(421);
  expect(readTree(root)).toEqual(before);
});

describe("generate detects", () => {
  const spec = "environments/env-3.yaml";
  const cases: Readonly<Record<string, () => void>> = {
    "a changed spec": () => edit(spec, "enabled: true", "enabled: false"),
    "a changed base of all environments": () => edit("environments/base.yaml", "storage: 10Gi", "storage: 20Gi"),
    "a changed spec with the same size and modification time": () => {
      const time = new Date(1_700_000_000_000);
      utimesSync(join(root, spec), time, time);
      edit(spec, "https://github.com/acme/platform", "https://github.com/acme/platforn");
      edit(spec, "enabled: true", "enabled: null");
      utimesSync(join(root, spec), time, time);
    },
    "an edited generated file": () => edit("overlays/env-4/dgraph/values.yaml", "alpha:", "# mine\nalpha:"),
    "a deleted generated file": () => rmSync(join(root, "flux/env-5/dgraph.yaml")),
    "a deleted inventory": () => rmSync(join(root, inventory("env-6"))),
    "an edited file with an edited hash in the inventory": () => {
      const file = "overlays/env-4/dgraph/values.yaml";
      const before = read(file);
      edit(file, "alpha:", "# mine\nalpha:");
      edit(inventory("env-4"), sha256(before), sha256(read(file)));
    },
    "a deleted environment": () => rmSync(join(root, "environments/env-7.yaml")),
    "a renamed environment": () => {
      edit("environments/env-8.yaml", "name: env-8", "name: other");
      renameSync(join(root, "environments/env-8.yaml"), join(root, "environments/other.yaml"));
    },
    "changed certificates": () => {
      const file = "environments/env-2/identity/webhook-ca.crt";
      writeFileSync(join(root, file), readFileSync(join(root, "environments/env-2/identity/trust-anchors.crt")));
    },
    "a deleted encrypted Secret": () => rmSync(join(root, "overlays/env-1/identity/tap-k8s-tls.sops.yaml")),
    "an edited helmfile": () => edit("helmfile.yaml", "helmfiles:", "# mine\nhelmfiles:"),
    "two specs with the same cluster": () => {
      const azure = "  azure: {location: westus2, resourceGroup: one, cluster: {name: one}}\n";
      for (const name of ["env-0", "env-1"]) edit(`environments/${name}.yaml`, "spec:\n", `spec:\n${azure}`);
    },
  };

  test.each(Object.entries(cases))("%s", async (_, change) => {
    change();
    const checked = await generate("--check");
    const result = await generate();
    if (result.code === 0) {
      expect(checked.code).toBe(1);
      expect((await generate("--check")).code).toBe(0);
    } else {
      // Without inventories, `generate` renders all environments. This run must report the same errors as the earlier
      // run with inventories.
      rmSync(join(root, ".meshops"), { recursive: true });
      expect(await generate()).toEqual(result);
    }
  });
});

describe("generate renders again", () => {
  const cases: Readonly<Record<string, readonly [change: () => void, environments: readonly string[]]>> = {
    "an environment whose spec has a changed text": [() => edit("environments/env-3.yaml", /$/, "# a comment\n"), ["env-3"]],
    "all environments that extend a changed spec": [() => edit("environments/base.yaml", /$/, "# a comment\n"), names],
    "all environments whose overlays use a changed base": [() => edit("bases/dgraph/release.yaml", /$/, "# a comment\n"), names],
    "no environment for a changed base that no overlay uses": [
      () => edit("bases/grafana/release.yaml", /$/, "# a comment\n"),
      [],
    ],
    "an environment with a changed encrypted file": [
      () => edit("overlays/env-1/identity/tap-k8s-tls.sops.yaml", /lastmodified: .*/, 'lastmodified: "2030-01-01T00:00:00Z"'),
      ["env-1"],
    ],
    "an environment with changed certificates": [
      () => edit("environments/env-2/identity/trust-anchors.crt", /$/, "\n# a comment\n"),
      ["env-2"],
    ],
    "an environment whose inventory does not record the inputs": [
      () => edit(inventory("env-5"), / {2}"inputs": .*\n/, ""),
      ["env-5"],
    ],
    "an environment whose inventory lists an additional file": [
      () => edit(inventory("env-6"), /"files": \{/, `"files": {\n    "overlays/env-6/notes": "${sha256("")}",`),
      ["env-6"],
    ],
    "an environment whose inventory was left by a killed run": [
      () => edit(inventory("env-7"), /": "([0-9a-f]{64})",\n(?=.*\n {2}\})/, `": ["$1", "${sha256("")}"],\n`),
      ["env-7"],
    ],
  };

  test.each(Object.entries(cases))("%s", async (_, [change, environments]) => {
    change();
    expect(rendered()).toEqual(environments);
    const bundle = (): Record<string, string> =>
      Object.fromEntries(Object.entries(readTree(root)).filter(([path]) => !path.startsWith(".meshops/")));
    const before = bundle();
    expect((await generate()).code).toBe(0);
    expect(bundle()).toEqual(before);
    expect(rendered()).toEqual([]);
  });

  test("all environments if the version of meshops is different", async () => {
    const { files } = parseInventory(read(inventory("env-0")), "env-0");
    const hash = new Inputs(new Repository(root)).recorded("env-0", "own", files);
    vi.resetModules();
    vi.doMock("../../generator/system/version.ts", () => ({ version: "99.0.0" }));
    const other = await import("../../generator/bundle/inputs.ts");
    vi.doUnmock("../../generator/system/version.ts");
    // Resets the modules again, so that commands in later tests do not import the mocked version.
    vi.resetModules();
    expect(new other.Inputs(new Repository(root)).recorded("env-0", "own", files)).not.toBe(hash);
  });

  test("an environment that is specified as an argument", async () => {
    expect(prepareToWrite(testIo(root).io, new Repository(root), ["env-3"], false)?.passedOver).toEqual([]);
  });
});

test("basesOf returns all folders in bases/ to which the generated files of an environment refer", () => {
  const files = Object.entries(readTree(root)).filter(([path]) => path.startsWith("overlays/env-0/"));
  const used = new Set(files.flatMap(([, text]) => [...text.matchAll(/\.\.\/bases\/([\w-]+)/g)].map(([, base]) => base)));
  const bases = basesOf(
    "env-0",
    files.map(([path]) => path),
  );
  expect(used.size).toBeGreaterThan(5);
  expect(bases).toEqual(expect.arrayContaining([...used]));
});

test("every run reports all warnings about specs, even if it renders no environment", async () => {
  edit("environments/env-9.yaml", "clients:", "internalPorts: skip\n    clients:");
  expect((await generate()).stderr).toContain("internal-ports-skipped");
  expect(rendered()).toEqual([]);
  const again = await generate();
  expect(again.stderr).toContain("environments/env-9.yaml");
  expect(again.stderr).toContain("internal-ports-skipped");
  expect(again.stdout).toContain("0 files written, 0 removed");
});

test("every run renders an environment with warnings about its identity, and reports them again", async () => {
  // The encrypted value is as long as a key in SEC1 format. This length causes a warning.
  const data = Buffer.alloc(304).toString("base64");
  edit("overlays/env-9/identity/linkerd-proxy-injector-k8s-tls.sops.yaml", /(tls\.key: ENC\[AES256_GCM,data:)[^,]*/, `$1${data}`);
  for (const _ of ["first", "second"]) {
    const { code, stderr } = await generate();
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("warning webhook-key-form") });
    expect(rendered()).toEqual(["env-9"]);
  }
  expect(read(inventory("env-9"))).not.toContain('"inputs"');
  expect((await generate("--check")).code).toBe(0);
});

test("a spec that changes during a run is rendered by the next run", () => {
  edit("environments/env-9.yaml", "enabled: true", "enabled: false");
  const { plans } = prepared();
  edit("environments/env-9.yaml", "enabled: false", "enabled: null");
  for (const plan of plans) applyPlan(root, plan);
  expect(rendered()).toEqual(["env-9"]);
});
