import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fluxRoot, fluxSource } from "../../generator/bundle/emit/flux.ts";
import { meshops } from "../support/cli.ts";
import { type Frozen, thaw } from "../support/frozen.ts";
import { withCluster } from "../support/guards.ts";
import { loadFiles } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster } from "./harness/cluster.ts";
import { changesBetween, takeStock } from "./harness/stock.ts";

/*
 * Tests which objects in a running cluster change after an update of meshops. The real kustomize-controller first
 * applies the files of a frozen repository. It then applies the files that the current meshops generates for the same
 * repository.
 */
withCluster("Updating meshops from 1e5175a", () => {
  const name = "own";
  let frozen: Frozen;
  let cluster: Cluster;
  /** Objects in the cluster that the update changed, in the format of `changesBetween`. */
  let changes: string[];
  /** Changes that `meshops diff -o json` reported before the generated files were pushed. */
  let rows: { kind: string; namespace: string; name: string; change: string; risk: string }[];
  const here = (...args: string[]): ReturnType<typeof meshops> => meshops(frozen.root, args, { env: frozen.env });

  beforeAll(async () => {
    frozen = await thaw("1e5175a");
    const read = (file: string): string => readFileSync(join(frozen.root, `environments/${file}.yaml`), "utf8");
    const { environment } = loadFiles({ base: read("base"), [name]: read(name) }, name);
    if (environment === null) throw new Error("the spec does not load");
    const keys = readFileSync(frozen.env["SOPS_AGE_KEY_FILE"] ?? "", "utf8");
    const [ageKey = ""] = new RegExp(`# meshops: ${name}, cluster\\n.*\\n(AGE-SECRET-KEY-1\\w+)`).exec(keys)?.slice(1) ?? [];
    cluster = await Cluster.start({ repository: frozen.root, environment, ageKey, charts: await clusterCharts() });
    await cluster.startFlux();
    await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "flux-system" } });
    await cluster.setAgeKey(ageKey);
    for (const object of [fluxSource(environment, false), fluxRoot(environment)]) await cluster.api.apply(object as ApiObject);
    await cluster.settled(await cluster.git.publish());
    const before = await takeStock(cluster.api);
    const rotations = ["dev", "production", name].map((each) => ["identity", "rotate-webhooks", each]);
    for (const step of [...rotations, ["generate"]]) {
      const { code, stderr } = await here(...step);
      if (code !== 0) throw new Error(stderr);
    }
    rows = JSON.parse((await here("diff", name, "-o", "json")).stdout);
    await cluster.settled(await cluster.git.push("Update meshops"));
    changes = changesBetween(before, await takeStock(cluster.api));
  });
  afterAll(() => cluster?.stop());

  test("deletes no object and renames no object, except generated ConfigMaps with values and HelmRepositories", () => {
    // Ignores the ConfigMaps with values, because kustomize adds a hash of the values to their names.
    const named = changes.filter((change) => !/^\w+ configmaps \S+-values-[a-z0-9]{10}$/.test(change));
    expect(named.filter((change) => !change.startsWith("changed "))).toEqual([]);
    // Ignores HelmRepositories, because each HelmRelease now has a HelmRepository in its own namespace (CHANGELOG).
    const moved = rows.filter(({ change }) => change !== "changed");
    expect(moved.filter(({ kind, risk }) => kind !== "HelmRepository" || risk !== "harmless")).toEqual([]);
  });

  test("restarts exactly the workloads that CHANGELOG.md lists in the section When you upgrade", () => {
    const [, section = ""] =
      /^### When you upgrade\n([\s\S]*?)(?=^##)/m.exec(readFileSync(join(projectRoot, "CHANGELOG.md"), "utf8")) ?? [];
    const listed = [...section.matchAll(/`((?:deployments|statefulsets) [^`]+)`/g)].map(([, workload]) => workload);
    const restarted = changes.flatMap((change) => /^changed ((?:deployments|statefulsets) .*)$/.exec(change)?.[1] ?? []);
    expect(restarted).toEqual(listed.sort());
  });

  test("diff lists every changed HelmRelease with the expected risk", () => {
    const releases = changes.flatMap((change) => /^changed helmreleases (.*)$/.exec(change)?.[1] ?? []);
    const rated = rows.filter(({ kind }) => kind === "HelmRelease");
    expect(rated.map((row) => `${row.namespace}/${row.name}`).sort()).toEqual(releases.sort());
    expect(Object.fromEntries(rated.map((row) => [row.name, row.risk]))).toEqual({
      dgraph: "rollout",
      "linkerd-control-plane": "webhook-policy",
      "linkerd-crds": "harmless",
      "linkerd-viz": "webhook-policy",
    });
  });
});
