import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { type ChartServer, packFixtures, serveCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { byId, field, objectsIn, pick } from "../support/objects.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { fluxRoad, helmfileRoad, kustomizeBuild } from "../support/roads.ts";
import { clientImage, specOf, specText } from "../support/specs.ts";

/** A patch for `spec.components` that sets an annotation in all objects of a component. */
const annotate = {
  target: { name: ".*" },
  patch: "- {op: add, path: /metadata/annotations, value: {patched: by-target}}",
};

/** Settings in `spec.components` for every component with a chart, and for two components without a chart. */
const overrides = {
  ...Object.fromEntries(
    ["linkerd-crds", "linkerd-control-plane", "linkerd-viz", "dgraph", "grafana"].map((name) => [
      name,
      { values: { extra: { of: name } }, patches: { annotate } },
    ]),
  ),
  "dgraph-policy": {
    patches: {
      label: {
        target: { kind: "Server" },
        patch: stringify({ kind: "any", metadata: { name: "any", labels: { team: "graph" } } }),
      },
    },
  },
  "pydgraph-client": {
    patches: {
      more: {
        patch: stringify({
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "pydgraph-client" },
          spec: { replicas: 3 },
        }),
      },
    },
  },
};

/*
 * Tests `spec.components` with the real helm, kustomize and helmfile. The fixture charts render a ConfigMap with the
 * values that they receive.
 */
withTools(["helm", "helmfile", "kustomize", "sops"], "Overrides of components (fixture charts)", () => {
  let charts: ChartServer;
  let root: string;

  beforeAll(async () => {
    const common = { linkerd: { viz: { grafana: true } }, pydgraphClient: { image: clientImage } };
    const base = specOf(common, "base");
    const child = (name: string, components: object): string =>
      stringify({
        apiVersion: base["apiVersion"],
        kind: "Environment",
        metadata: { name },
        spec: { extends: "base", components },
      });
    const inherited = { "linkerd-viz": { values: { chartDefault: { second: null }, extra: { a: 1 } } } };
    root = makePlatform({
      base: stringify({ ...base, spec: { ...(base["spec"] as object), abstract: true, components: inherited } }),
      more: child("more", { "linkerd-viz": { values: { extra: { b: 2 } } } }),
      none: child("none", { "linkerd-viz": { values: null } }),
      back: child("back", { "linkerd-viz": { values: { chartDefault: { second: 3 } } } }),
      from: specText(
        {
          ...common,
          components: {
            "linkerd-viz": {
              valuesFrom: [{ configMapRef: { name: "mesh-values" } }, { secretRef: { name: "more", key: "more.yaml" } }],
              values: { extra: { c: 3 } },
            },
          },
        },
        "from",
      ),
      all: specText({ ...common, components: overrides }, "all"),
      order: specText(
        {
          ...common,
          components: {
            "linkerd-viz": {
              timeout: "1h30m",
              dependsOn: [{ component: "dgraph" }, { kustomization: { name: "cert-manager", namespace: "flux-system" } }],
            },
            dgraph: { dependsOn: [{ helmRelease: { name: "storage", namespace: "storage" } }] },
            grafana: { suspend: true },
            "service-profile": { suspend: true },
          },
        },
        "order",
      ),
    });
    expect(await generateIn(root)).toBe(0);
    charts = await serveCharts(await packFixtures());
  });
  afterAll(() => charts.close());

  /**
   * Returns the values that the fixture chart of linkerd-viz received. Expects that the values are the same with both
   * engines.
   */
  async function vizValues(environment: string): Promise<unknown> {
    const flux = (await fluxRoad(root, environment, charts, ["linkerd-viz"])).get("linkerd-viz") ?? [];
    const helmfile = await helmfileRoad(root, environment, charts, ["name=linkerd-viz"]);
    const values = (objects: readonly KubernetesObject[]): Record<string, unknown> =>
      parse(String(field(pick(objects, "ConfigMap", "linkerd-viz-seen-values"), "data", "values"))) as Record<string, unknown>;
    const [a, b] = [values(flux), values(helmfile)].map(({ chartDefault, extra }) => ({ chartDefault, extra }));
    expect(a).toEqual(b);
    return a;
  }

  test("values are merged over inherited values; a null inside values removes a default of the chart; values: null removes all inherited values", async () => {
    expect(await vizValues("more")).toEqual({ chartDefault: { first: 1 }, extra: { a: 1, b: 2 } });
    expect(await vizValues("none")).toEqual({ chartDefault: { first: 1, second: 2 } });
    expect(await vizValues("back")).toEqual({ chartDefault: { first: 1, second: 3 }, extra: { a: 1 } });
    expect(readFileSync(join(root, "overlays/more/linkerd-viz/values.yaml"), "utf8")).toContain("second: null\n");
  });

  test("values from ConfigMaps and Secrets override generated values, but not the values in the spec and not the owned values", async () => {
    const source = (kind: string, name: string, key: string, values: object): KubernetesObject =>
      ({ apiVersion: "v1", kind, metadata: { name }, data: { [key]: stringify(values) } }) as KubernetesObject;
    const objects = await fluxRoad(
      root,
      "from",
      charts,
      ["linkerd-viz"],
      [
        source("ConfigMap", "mesh-values", "values.yaml", {
          extra: { a: 1, b: 1, c: 1 },
          clusterDomain: "wrong",
          jaegerUrl: "jaeger.example:1",
        }),
        source("Secret", "more", "more.yaml", { extra: { b: 2, c: 2 } }),
      ],
    );
    const seen = pick(objects.get("linkerd-viz") ?? [], "ConfigMap", "linkerd-viz-seen-values");
    expect(parse(String(field(seen, "data", "values")))).toMatchObject({
      extra: { a: 1, b: 2, c: 3 },
      clusterDomain: "cluster.local",
      jaegerUrl: "jaeger.example:1",
    });
    const byHelmfile = await helmfileRoad(root, "from", charts, ["name=linkerd-viz"]);
    const values = parse(String(field(pick(byHelmfile, "ConfigMap", "linkerd-viz-seen-values"), "data", "values"))) as object;
    expect(values).toMatchObject({ extra: { c: 3 }, clusterDomain: "cluster.local" });
  });

  test("values and patches of every component have the same effect on both engines", async () => {
    const flux = await fluxRoad(root, "all", charts);
    flux.delete("namespaces");
    flux.set("identity", flux.get("identity")?.filter(({ kind }) => kind !== "Secret") ?? []);
    const helmfile = await helmfileRoad(root, "all", charts);
    const all = [...flux.values()].flat().filter(({ kind }) => kind !== "HelmRelease");
    expect(byId(helmfile)).toEqual(byId(all.filter(({ metadata }) => !metadata.name.includes("-values-"))));
    const seen = helmfile.filter(({ metadata }) => metadata.name.endsWith("-seen-values"));
    expect(seen).toHaveLength(5);
    for (const object of seen) {
      expect(field(object, "metadata", "annotations")).toEqual({ patched: "by-target" });
      expect(String(field(object, "data", "values"))).toContain("extra:");
    }
    const servers = helmfile.filter(({ kind, metadata }) => kind === "Server" && metadata.namespace === "dgraph");
    expect(servers.length).toBeGreaterThan(3);
    for (const server of servers) expect(field(server, "metadata", "labels", "team")).toBe("graph");
    expect(field(pick(helmfile, "Deployment", "pydgraph-client"), "spec", "replicas")).toBe(3);
  });

  test("Flux objects have dependsOn, timeout and suspend of the spec; helmfile does not install suspended components", async () => {
    const flux = (name: string): unknown =>
      field(objectsIn(readFileSync(join(root, `flux/order/${name}.yaml`), "utf8"))[0], "spec");
    expect(flux("linkerd-viz")).toMatchObject({
      dependsOn: [{ name: "linkerd-control-plane" }, { name: "dgraph" }, { name: "cert-manager", namespace: "flux-system" }],
      timeout: "90m",
    });
    const release = async (name: string): Promise<unknown> => {
      const objects = objectsIn(await kustomizeBuild(join(root, "overlays/order", name)));
      return field(
        objects.find(({ kind }) => kind === "HelmRelease"),
        "spec",
      );
    };
    expect(await release("linkerd-viz")).toMatchObject({ timeout: "90m" });
    expect(await release("dgraph")).toMatchObject({ dependsOn: [{ name: "storage", namespace: "storage" }] });
    // A suspended HelmRelease never becomes ready. Therefore the Kustomization that applies this HelmRelease has `wait:
    // false`.
    expect(await release("grafana")).toMatchObject({ suspend: true });
    expect(flux("grafana")).toMatchObject({ wait: false });
    expect(flux("service-profile")).toMatchObject({ suspend: true, wait: true });
    const installed = await helmfileRoad(root, "order", charts);
    const kinds = (pattern: RegExp): KubernetesObject[] =>
      installed.filter(({ kind, metadata }) => pattern.test(`${kind} ${metadata.name}`));
    expect(kinds(/grafana-seen-values|ServiceProfile/)).toEqual([]);
    expect(kinds(/linkerd-viz-seen-values/)).toHaveLength(1);
    expect(kinds(/Deployment pydgraph-client/)).toHaveLength(1);
  });
});
