import { afterAll, beforeAll, expect, test } from "vitest";
import { toBundle } from "../../generator/bundle/bundle.ts";
import { emitFlux } from "../../generator/bundle/emit/flux.ts";
import { emitHelmfile, emitRootHelmfile } from "../../generator/bundle/emit/helmfile.ts";
import { emitOverlays } from "../../generator/bundle/emit/kustomize.ts";
import { grafanaChart } from "../../generator/catalog/addons.ts";
import { grafanaRepository } from "../../generator/catalog/repositories.ts";
import { buildModel } from "../../generator/components/build.ts";
import type { Component, ComponentProvider } from "../../generator/components/component.ts";
import { providers } from "../../generator/components/registry.ts";
import { type ChartServer, packFixtures, serveCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { byId, field, objectsIn, pick } from "../support/objects.ts";
import { makePlatform, writeTree } from "../support/platform.ts";
import { fluxRoad, helmfileRoad, kustomizeBuild } from "../support/roads.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";

/*
 * Tests with components that only this file defines. These components use fields that no component of meshops uses.
 * Examples are patches with targets, and `needs` that lists objects of other tools. Flux and helmfile must install the
 * same objects.
 */

const annotation = { metadata: { name: "any", annotations: { patched: "merge" } } };

/**
 * A component that installs a chart and has no folder in bases/. The id of the component contains a slash, so the
 * overlay of the component is in a nested folder. Its patches select objects by `target`.
 */
const chart: Component = {
  id: "tools/board",
  group: "tools",
  needs: [
    { component: "linkerd-viz" },
    { component: "absent" },
    { component: "tools/elsewhere" },
    { kustomization: { name: "infrastructure", namespace: "platform" } },
    { helmRelease: { name: "database", namespace: "data" } },
  ],
  build: () => ({
    namespace: "tools",
    namespaces: [{ name: "tools", labels: { team: "tools" } }],
    delivery: {
      kind: "chart",
      base: null,
      release: {
        name: "board",
        chart: "grafana",
        repository: grafanaRepository,
        clusterScoped: true,
        version: grafanaChart.version,
        values: { replicas: 2 },
      },
    },
    patches: [
      { target: { kind: "ConfigMap" }, patch: { apiVersion: "v1", kind: "ConfigMap", ...annotation } },
      { target: { kind: "ConfigMap", name: "board-.*" }, patch: [{ op: "add", path: "/data/added", value: "by JSON patch" }] },
    ],
    ignoredDrift: [{ kind: "ConfigMap", paths: ["/data/added"] }],
  }),
};

/** A component that installs a folder in bases/. Its patch selects objects by kind. */
const folder: Component = {
  id: "tool",
  group: "tools",
  needs: [{ component: "tools/board" }],
  build: () => ({
    namespace: "tools",
    delivery: {
      kind: "kustomization",
      base: "pydgraph-client",
      images: { "pydgraph-client": { name: "example.org/tool", tag: "1", runs: "pod" } },
      contains: [],
    },
    patches: [{ target: { kind: "Deployment" }, patch: [{ op: "replace", path: "/spec/replicas", value: 4 }] }],
  }),
};

/** A component that another tool delivers. meshops generates no files for this component. */
const elsewhere: Component = {
  id: "tools/elsewhere",
  group: "tools",
  needs: [],
  build: () => ({ namespace: "tools", delivery: { kind: "none", podsIn: null } }),
};

const provider: ComponentProvider = { components: () => [chart, folder, elsewhere] };

withTools(["helm", "helmfile", "kustomize", "sops"], "Components that use rare fields (fixture charts)", () => {
  let charts: ChartServer;
  let root: string;
  const environment = environmentOf();
  const { name } = environment.metadata;
  const model = buildModel({ environment, identity: sampleIdentity() }, [...providers, provider]);

  beforeAll(async () => {
    root = makePlatform({});
    const files = toBundle([emitRootHelmfile([name]), emitHelmfile(model), ...emitOverlays(model), ...emitFlux(model)]);
    writeTree(root, Object.fromEntries(files));
    charts = await serveCharts(await packFixtures());
  });
  afterAll(() => charts.close());

  test("both engines apply patches with targets, and install the same objects", async () => {
    const flux = await fluxRoad(root, name, charts, ["tool", "tools/board"]);
    const helmfile = await helmfileRoad(root, name, charts, ["name=tool", "name=board"]);
    expect(byId(helmfile)).toEqual(byId([...flux.values()].flat().filter(({ kind }) => kind !== "HelmRelease")));
    const values = pick(helmfile, "ConfigMap", "board-seen-values");
    expect(field(values, "metadata", "annotations")).toEqual({ patched: "merge" });
    expect(field(values, "data", "added")).toBe("by JSON patch");
    expect(field(pick(helmfile, "Deployment", "pydgraph-client"), "spec", "replicas")).toBe(4);
  });

  test("the needs of a component become dependsOn of Kustomizations or HelmReleases in Flux, and needs in helmfile", async () => {
    const [kustomization] = objectsIn(fileOf(`flux/${name}/tools-board.yaml`));
    expect(field(kustomization, "spec", "dependsOn")).toEqual([
      { name: "linkerd-viz" },
      { name: "infrastructure", namespace: "platform" },
    ]);
    const overlay = objectsIn(await kustomizeBuild(`${root}/overlays/${name}/tools/board`));
    const release = overlay.find(({ kind }) => kind === "HelmRelease");
    expect(field(release, "metadata", "name")).toBe("tools-board");
    expect(field(release, "spec", "dependsOn")).toEqual([{ name: "database", namespace: "data" }]);
    expect(field(release, "spec", "driftDetection", "ignore")).toEqual([
      { paths: ["/data/added"], target: { kind: "ConfigMap" } },
    ]);
    expect(fileOf(`overlays/${name}/helmfile.yaml`)).toMatch(/name: tool\n(.*\n)*? {6}- tools\/board\n/);
  });

  test("a component that another tool delivers has no files, but the model contains the component", () => {
    expect(model.components.map(({ id }) => id)).toContain("tools/elsewhere");
    expect([...files().keys()].filter((path) => path.includes("elsewhere"))).toEqual([]);
  });

  test("if two components create the same namespace, meshops merges the labels; different values of a label are an error", () => {
    const shared = (label: string): ComponentProvider => ({
      components: () => [
        {
          ...elsewhere,
          id: `other-${label}`,
          build: () => ({ ...elsewhere.build({} as never), namespaces: [{ name: "tools", labels: { team: label } }] }),
        },
      ],
    });
    const build = (...more: ComponentProvider[]): object =>
      buildModel({ environment, identity: sampleIdentity() }, [...providers, provider, ...more]);
    expect(() => build(shared("tools"))).not.toThrow();
    expect(() => build(shared("others"))).toThrow('namespace tools: team has two different values, "tools" and "others"');
    expect(() => build(provider)).toThrow("two components have the same id");
    const withObjects = { ...chart, id: "x", build: () => ({ ...chart.build({} as never), objects: { more: [] } }) };
    expect(() => build({ components: () => [withObjects] })).toThrow(
      "component x has both a chart and objects, but the objects must be in a separate component",
    );
  });

  test("a cycle in the needs of components is an error that lists the cycle", () => {
    const circle: ComponentProvider = {
      components: () => [
        { ...elsewhere, id: "a", needs: [{ component: "b" }] },
        { ...elsewhere, id: "b", needs: [{ component: "a" }] },
      ],
    };
    expect(() => buildModel({ environment, identity: sampleIdentity() }, [...providers, circle])).toThrow("a, b, a");
  });

  function files(): ReadonlyMap<string, string> {
    return toBundle([emitHelmfile(model), ...emitOverlays(model), ...emitFlux(model)]);
  }
  function fileOf(path: string): string {
    return files().get(path) ?? "";
  }
});
