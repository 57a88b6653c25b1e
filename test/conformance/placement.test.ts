import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { toBundle } from "../../generator/bundle/bundle.ts";
import { emitFlux } from "../../generator/bundle/emit/flux.ts";
import { emitOverlays } from "../../generator/bundle/emit/kustomize.ts";
import { buildModel } from "../../generator/components/build.ts";
import { isDelivered, releaseOf } from "../../generator/components/model.ts";
import { withReference, withTools } from "../support/guards.ts";
import { field, objectsIn } from "../support/objects.ts";
import { makePlatform, writeTree } from "../support/platform.ts";
import { kustomizeBuild } from "../support/roads.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { referenceFolder } from "../support/tools.ts";

const environment = environmentOf({
  gitops: {
    url: null,
    path: "platform/mesh",
    namePrefix: "mesh-",
    namespace: "platform",
    sourceRef: { kind: "OCIRepository", name: "fleet", namespace: "sources" },
    root: { kustomization: { name: "mesh", namespace: "flux-system" } },
  },
});
const { name } = environment.metadata;
const model = buildModel({ environment, identity: sampleIdentity() });
const delivered = model.components.filter(isDelivered);

withTools(["kustomize"], "Flux objects with a name prefix, in the namespace of another team's Flux repository", () => {
  let root: string;
  const bundle = toBundle([...emitOverlays(model), ...emitFlux(model)]);
  const objects = [...bundle].filter(([path]) => path.startsWith(`flux/${name}/`)).flatMap(([, text]) => objectsIn(text));
  const kustomizations = objects.filter(({ kind }) => kind === "Kustomization");

  beforeAll(() => {
    root = makePlatform({});
    writeTree(root, Object.fromEntries(bundle));
  });

  test("every Kustomization has the prefix, the namespace, the source and the path that `gitops` specifies", () => {
    expect(kustomizations.map(({ metadata }) => metadata.name).sort()).toEqual(delivered.map(({ id }) => `mesh-${id}`).sort());
    for (const kustomization of kustomizations) {
      expect(kustomization.metadata.namespace).toBe("platform");
      expect(field(kustomization, "spec", "sourceRef")).toEqual({ kind: "OCIRepository", name: "fleet", namespace: "sources" });
      const path = String(field(kustomization, "spec", "path"));
      expect(path).toMatch(/^\.\/platform\/mesh\/overlays\//);
      expect(existsSync(join(root, path.replace("./platform/mesh/", ""), "kustomization.yaml"))).toBe(true);
    }
  });

  test("dependsOn contains only the names of generated Kustomizations", () => {
    const needed = kustomizations.flatMap((each) => (field(each, "spec", "dependsOn") ?? []) as { name: string }[]);
    const names = kustomizations.map(({ metadata }) => metadata.name);
    expect(needed.length).toBeGreaterThan(5);
    expect(needed.filter((each) => !names.includes(each.name))).toEqual([]);
  });

  test("every HelmRelease has a name without the prefix, and refers to a HelmRepository in its own namespace", async () => {
    const releases = delivered.filter((component) => releaseOf(component) !== null);
    expect(releases.length).toBeGreaterThan(3);
    for (const { id } of releases) {
      const built = objectsIn(await kustomizeBuild(join(root, "overlays", name, id)));
      const release = built.find(({ kind }) => kind === "HelmRelease");
      const repository = built.find(({ kind }) => kind === "HelmRepository");
      expect(field(release, "spec", "chart", "spec", "sourceRef")).toEqual({
        kind: "HelmRepository",
        name: id,
        namespace: release?.metadata.namespace,
      });
      expect(repository?.metadata).toMatchObject({ name: id, namespace: release?.metadata.namespace });
      expect(release?.metadata.name).toBe(id);
    }
  });
});

withReference("permissions of the service accounts", () => {
  const folder = join(referenceFolder, "charts");
  const all = buildModel({
    environment: environmentOf({ linkerd: { viz: { enabled: true, grafana: true }, jaeger: { enabled: true } } }),
    identity: sampleIdentity(),
  });

  test.for(all.components.flatMap((component) => releaseOf(component) ?? []))(
    "$chart: `clusterScoped` is true if and only if the chart renders cluster-scoped objects",
    ({ chart, clusterScoped }) => {
      const versions = existsSync(join(folder, chart)) ? readdirSync(join(folder, chart)) : [];
      const rendered = versions.map((version) => join(folder, chart, version, "rendered.yaml")).filter(existsSync);
      // The reference data does not contain the rendered chart of Grafana, so the test does not check this chart. By
      // default, this chart renders a ClusterRole.
      if (chart !== "grafana") expect(rendered.length).toBeGreaterThan(0);
      for (const file of rendered) {
        const kinds = objectsIn(readFileSync(file, "utf8")).map(({ kind }) => kind);
        expect(kinds.some((kind) => /^ClusterRole|^CustomResourceDefinition$|WebhookConfiguration$/.test(kind))).toBe(
          clusterScoped,
        );
      }
    },
  );
});
