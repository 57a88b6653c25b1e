import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { plainPatches } from "../../generator/bundle/emit/patches.ts";
import { buildModel } from "../../generator/components/build.ts";
import { type ComponentModel, releaseOf } from "../../generator/components/model.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { toYaml } from "../../generator/kubernetes/yaml.ts";
import { withReference, withTools } from "../support/guards.ts";
import { field, objectsIn, pick } from "../support/objects.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { kustomizeBuild } from "../support/roads.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { referenceFolder } from "../support/tools.ts";

/*
 * meshops adds annotations to Dgraph's pods, either with a patch or with values of the chart. The tests compare these
 * annotations with those that `linkerd inject --skip-inbound-ports 5080,7080 --skip-outbound-ports 5080,7080` adds to
 * the same objects. The objects are in the reference data.
 */
withReference("injection", () => {
  withTools(["kustomize"], "compared with `linkerd inject`", () => {
    test.each(["0.0.17", "24.1.4"] as const)("dgraph %s, if the internal ports are skipped", async (version) => {
      const injected = await install(version, dgraphOf(version, "skip"));
      const reference = objectsIn(read(`linkerd/inject-dgraph-${version}.yaml`));
      for (const role of ["alpha", "zero"]) {
        const { "meshops.dev/identity-revision": revision, ...ours } = podAnnotations(injected, role);
        expect(ours).toEqual(podAnnotations(reference, role));
        expect(revision).toMatch(/^[0-9a-f]{64}$/);
      }
    });

    test.each(["0.0.17", "0.0.20", "0.3.0", "24.1.4", "25.0.0-preview6"] as const)(
      "dgraph %s, if the internal ports are opaque: pods and Services have the annotation",
      async (version) => {
        const objects = await install(version, dgraphOf(version, "opaque"));
        expect(podAnnotations(objects, "alpha")).toMatchObject({
          "linkerd.io/inject": "enabled",
          "config.linkerd.io/opaque-ports": "7080",
        });
        expect(podAnnotations(objects, "zero")).toMatchObject({
          "linkerd.io/inject": "enabled",
          "config.linkerd.io/opaque-ports": "5080",
        });
        const exposing = objects.filter(
          ({ kind, spec }) =>
            kind === "Service" && (field(spec, "ports") as { port: number }[]).some(({ port }) => port === 5080 || port === 7080),
        );
        expect(exposing).toHaveLength(3);
        for (const service of exposing) {
          const port = service.metadata.name.includes("alpha") ? "7080" : "5080";
          expect(service.metadata.annotations, service.metadata.name).toEqual({ "config.linkerd.io/opaque-ports": port });
        }
      },
    );
  });

  describe("the annotations of Dgraph's pods", () => {
    test("are the same in the patch for an old chart and in the values of a new chart", () => {
      for (const mode of ["skip", "opaque", "mesh"] as const) {
        const [byPatch, byValue] = [dgraphOf("0.0.17", mode), dgraphOf("24.1.4", mode)];
        for (const role of ["alpha", "zero"]) {
          const patch = pick(plainPatches(byPatch.patches), "StatefulSet", `demo-dgraph-${role}`);
          expect(field(patch, "spec", "template", "metadata", "annotations")).toEqual(
            field(releaseOf(byValue)?.values, role, "extraAnnotations"),
          );
        }
      }
    });
  });
});

function dgraphOf(chart: string, internalPorts: string): ComponentModel {
  const { components } = buildModel({
    environment: environmentOf({ dgraph: { chart, internalPorts } }),
    identity: sampleIdentity(),
  });
  const component = components.find(({ id }) => id === "dgraph");
  if (component === undefined) throw new Error("there is no component dgraph");
  return component;
}

/**
 * Returns Dgraph's objects in the reference data with the generated annotations. The real kustomize applies the
 * generated patches. The objects in the reference data are already rendered, so the generated values cannot change
 * these objects. A patch therefore simulates the effect of the generated values.
 */
async function install(version: string, component: ComponentModel): Promise<KubernetesObject[]> {
  const folder = scratchFolder("inject");
  const byValue = ["alpha", "zero"].flatMap((role) => {
    const annotations = field(releaseOf(component)?.values, role, "extraAnnotations");
    if (annotations === undefined) return [];
    const target = { kind: "StatefulSet", name: `demo-dgraph-${role}` };
    // This patch adds the values to the annotations of the pods, as the template of the chart does (dgraph-io/charts,
    // templates/<role>/statefulset.yaml).
    const patch = stringify({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "any" },
      spec: { template: { metadata: { annotations } } },
    });
    return [{ target, patch }];
  });
  const files = plainPatches(component.patches).map((patch, index) => [`patch-${index}.yaml`, toYaml([patch])] as const);
  writeTree(folder, {
    "rendered.yaml": read(`charts/dgraph/${version}/rendered.yaml`),
    ...Object.fromEntries(files),
    "kustomization.yaml": stringify({
      resources: ["rendered.yaml"],
      patches: [...files.map(([path]) => ({ path })), ...byValue],
    }),
  });
  return objectsIn(await kustomizeBuild(folder));
}

function podAnnotations(objects: readonly KubernetesObject[], role: string): Record<string, string> {
  return field(pick(objects, "StatefulSet", `demo-dgraph-${role}`), "spec", "template", "metadata", "annotations") as Record<
    string,
    string
  >;
}

function read(path: string): string {
  return readFileSync(join(referenceFolder, path), "utf8");
}
