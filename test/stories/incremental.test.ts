import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { type Finished, meshops, testIo } from "../support/cli.ts";
import { makePlatform, readTree, scratchFolder } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

/*
 * A run over many environments passes over those of which nothing has changed. Whatever changes, and however, it must be seen: each case
 * compares with a run that remembers nothing.
 */
let root: string;
let cache: string;

const names = Array.from({ length: 10 }, (_, index) => `env-${index}`);
const clients = [{ namespace: "pydgraph-client", serviceAccount: "pydgraph-client" }];

/** Longer than what is too young to be remembered. */
const settle = (): Promise<void> => sleep(150);

function generate(): Promise<Finished> {
  return meshops(root, ["generate"], { env: { MESHOPS_UNCHANGED: cache } });
}

async function remembered(): Promise<void> {
  await settle();
  await generate();
  await settle();
  expect((await generate()).stderr).toContain("0 files written, 0 removed, 391 unchanged");
}

const edit = (file: string, from: string, to: string): void => {
  const before = readFileSync(join(root, file), "utf8");
  expect(before).toContain(from);
  writeFileSync(join(root, file), before.replace(from, to));
};

beforeEach(async () => {
  cache = scratchFolder("cache");
  const base = `apiVersion: meshops.dev/v1alpha1\nkind: Environment\nmetadata: {name: base}\nspec:\n  abstract: true\n  gitops: {branch: main}\n  dgraph: {alpha: {storage: 10Gi}}\n`;
  const own = names.map((name) => [
    name,
    specText({ extends: "base", linkerd: { jaeger: { enabled: true } }, dgraph: { clients } }, name),
  ]);
  root = makePlatform({ base, ...Object.fromEntries(own) });
  await remembered();
});

describe("is seen", () => {
  const spec = "environments/env-3.yaml";
  const cases: Readonly<Record<string, () => void>> = {
    "a changed spec": () => edit(spec, "enabled: true", "enabled: false"),
    "a changed base, of all": () => edit("environments/base.yaml", "storage: 10Gi", "storage: 20Gi"),
    "a spec of the same size and time": () => {
      const time = new Date(1_700_000_000_000);
      utimesSync(join(root, spec), time, time);
      edit(spec, "https://github.com/acme/platform", "https://github.com/acme/platforn");
      edit(spec, "enabled: true", "enabled: null");
      utimesSync(join(root, spec), time, time);
    },
    "a generated file that somebody edited": () => edit("overlays/env-4/dgraph/values.yaml", "alpha:", "# mine\nalpha:"),
    "a generated file that is gone": () => rmSync(join(root, "flux/env-5/dgraph.yaml")),
    "a manifest that is gone": () => rmSync(join(root, ".meshops/env-6.json")),
    "an environment that is gone": () => rmSync(join(root, "environments/env-7.yaml")),
    "an environment by another name": () => {
      edit("environments/env-8.yaml", "name: env-8", "name: other");
      renameSync(join(root, "environments/env-8.yaml"), join(root, "environments/other.yaml"));
    },
    "other certificates": () => {
      const file = "environments/env-2/identity/webhook-ca.crt";
      writeFileSync(join(root, file), readFileSync(join(root, "environments/env-2/identity/trust-anchors.crt")));
    },
    "an encrypted Secret that is gone": () => rmSync(join(root, "overlays/env-1/identity/tap-k8s-tls.sops.yaml")),
    "a helmfile that somebody edited": () => edit("helmfile.yaml", "helmfiles:", "# mine\nhelmfiles:"),
    "two specs with one cluster": () => {
      const azure = "  azure: {location: westus2, resourceGroup: one, cluster: {name: one}}\n";
      for (const name of ["env-0", "env-1"]) edit(`environments/${name}.yaml`, "spec:\n", `spec:\n${azure}`);
    },
  };

  test.each(Object.entries(cases))("%s", async (_, change) => {
    change();
    const remembering = await generate();
    const tree = readTree(root);
    // The same change, told to a meshops that remembers nothing, is no change any more, or the same error.
    cache = scratchFolder("cache");
    const fresh = await generate();
    expect(fresh.code).toBe(remembering.code);
    if (remembering.code === 0) {
      expect(readTree(root)).toEqual(tree);
      expect(fresh.stderr).toContain("flux/: 0 files written, 0 removed");
    } else expect(fresh.stderr).toBe(remembering.stderr);
  });
});

test("warnings are told again, and silenced ones are not", async () => {
  edit("environments/env-9.yaml", "clients:", "internalPorts: skip\n    clients:");
  expect((await generate()).stderr).toContain("internal-ports-skipped");
  await settle();
  const again = await generate();
  expect(again.stderr).toContain("environments/env-9.yaml");
  expect(again.stderr).toContain("internal-ports-skipped");
  expect(again.stderr).toContain("0 files written, 0 removed");
});

test("a spec that changes while a run is under way is looked at by the next", async () => {
  const { prepareChanged } = await import("../../generator/commands/generate/prepare.ts");
  const { Repository } = await import("../../generator/bundle/repository.ts");
  const before = process.env["MESHOPS_UNCHANGED"];
  process.env["MESHOPS_UNCHANGED"] = cache;
  try {
    edit("environments/env-9.yaml", "enabled: true", "enabled: false");
    await settle();
    const prepared = prepareChanged(testIo(root).io, new Repository(root));
    await settle();
    edit("environments/env-9.yaml", "enabled: false", "enabled: null");
    await settle();
    prepared?.remember();
    expect(prepareChanged(testIo(root).io, new Repository(root))?.plans.length).toBeGreaterThan(0);
  } finally {
    process.env["MESHOPS_UNCHANGED"] = before;
  }
});

test("a cache that is no cache, or cannot be written, changes nothing", async () => {
  rmSync(cache, { recursive: true });
  writeFileSync(cache, "no folder");
  expect(await generate()).toMatchObject({ code: 0 });
});
