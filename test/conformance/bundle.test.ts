import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { dgraphCharts } from "../../generator/catalog/dgraph.ts";
import { linkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { withTools } from "../support/guards.ts";
import { customSchemas, kubeconform } from "../support/kubeconform.ts";
import { field, idOf, objectsIn } from "../support/objects.ts";
import { generateIn, makePlatform, readTree, testIdentity } from "../support/platform.ts";
import { kustomizeBuild, overlaysOf } from "../support/roads.ts";
import { clientImage, specText } from "../support/specs.ts";
import { projectRoot, referenceFolder, run, tool } from "../support/tools.ts";

/*
 * Every overlay of the sample environments, and of all Linkerd releases with all Dgraph charts, goes through the real
 * kustomize; what comes out, its Secrets decrypted by the real sops, through kubeconform with the CRDs of that release.
 */
withTools(["kustomize", "kubeconform", "sops"], "real tools accept the bundle", () => {
  const samples = Object.fromEntries(
    ["base", "dev", "production"].map((name) => [name, readFileSync(`${projectRoot}environments/${name}.yaml`, "utf8")]),
  );
  const matrix = linkerdReleases.flatMap(({ version }, row) =>
    dgraphCharts.map((chart, column) => {
      const name = `m${row}${column}`;
      const modes = ["opaque", "skip", "mesh"];
      const spec = {
        linkerd: { version, jaeger: { enabled: true }, highAvailability: column === 0, viz: { grafana: column === 1 } },
        dgraph: {
          chart: chart.version,
          internalPorts: modes[(row + column) % 3],
          clients: column === 2 ? [] : [{ namespace: "reports", serviceAccount: "nightly", ports: ["http"] }],
          serviceProfile: linkerdRelease(version).traits.grpcRoute && column % 2 === 0 ? "grpc-route" : true,
          methods: { Query: { timeout: "30s", retry: false }, Login: { retry: true } },
        },
        pydgraphClient: { image: clientImage, inject: column !== 3 },
      };
      return { name, title: `${version} with Dgraph ${chart.version}`, version, text: specText(spec, name) };
    }),
  );
  const cases = [
    ...["dev", "production"].map((name) => ({ name, title: `sample ${name}`, version: "edge-26.8.3" as const })),
    ...matrix,
  ];
  let root: string;

  beforeAll(async () => {
    root = makePlatform({ ...samples, ...Object.fromEntries(matrix.map(({ name, text }) => [name, text])) });
    expect(await generateIn(root)).toBe(0);
  });

  describe.each(cases)("$title", ({ name, version }) => {
    let built: Map<string, KubernetesObject[]>;

    beforeAll(async () => {
      built = new Map();
      for (const component of overlaysOf(root, name))
        built.set(
          component,
          await Promise.all(objectsIn(await kustomizeBuild(join(root, "overlays", name, component))).map(decrypt)),
        );
    });

    test("kubeconform is strict and content", async () => {
      if (!existsSync(referenceFolder)) return console.warn("skipped: no ../shared/reference with the CRDs");
      const flux = Object.values(readTree(join(root, "flux", name))).join("---\n");
      const overlays = [...built.values()].flat();
      const yaml = `${flux}---\n${overlays.map((object) => JSON.stringify(object)).join("\n---\n")}`;
      const summary = await kubeconform(yaml, schemasFor(version));
      const total = objectsIn(yaml).length;
      expect(summary).toEqual({ valid: total, invalid: 0, errors: 0, skipped: 0 });
    });

    test("every object carries the common labels, and no id comes twice", () => {
      const objects = [...built.values()].flat();
      for (const object of objects)
        expect(object.metadata.labels, idOf(object)).toMatchObject({
          "app.kubernetes.io/managed-by": "meshops",
          "app.kubernetes.io/part-of": expect.stringMatching(/^(linkerd|dgraph|grafana|meshops)$/),
        });
      const ids = objects.map(idOf);
      expect(new Set(ids).size).toBe(ids.length);
    });

    test("HelmReleases find their values under a hashed name", () => {
      for (const [component, objects] of built) {
        for (const release of objects.filter(({ kind }) => kind === "HelmRelease")) {
          const [reference] = field(release, "spec", "valuesFrom") as { name: string }[];
          expect(reference?.name).toMatch(new RegExp(`^${component}-values-[0-9a-z]{10}$`));
          expect(objects.map(idOf)).toContain(`ConfigMap/${release.metadata.namespace}/${reference?.name}`);
        }
      }
    });

    test("Flux brings everything up in an order without gaps", () => {
      const kustomizations = Object.values(readTree(join(root, "flux", name)))
        .flatMap(objectsIn)
        .filter(({ kind }) => kind === "Kustomization");
      expect(kustomizations.map(({ metadata }) => metadata.name).sort()).toEqual(overlaysOf(root, name));
      const needs = new Map(
        kustomizations.map((object) => [
          object.metadata.name,
          ((field(object, "spec", "dependsOn") ?? []) as { name: string }[]).map((need) => need.name),
        ]),
      );
      const needed = (component: string): Set<string> =>
        new Set((needs.get(component) ?? []).flatMap((need) => [need, ...needed(need)]));
      for (const component of needs.keys()) if (component !== "namespaces") expect(needed(component)).toContain("namespaces");
      expect([...needed("linkerd-control-plane")].sort()).toEqual(["identity", "linkerd-crds", "namespaces"]);
      const all = overlaysOf(root, name);
      const after = ["dgraph-policy", "service-profile", "pydgraph-client"];
      expect([...needed("dgraph")].sort()).toEqual(
        all.filter((component) => !["dgraph", "grafana", ...after].includes(component)),
      );
      for (const component of after) expect(needed(component)).toContain("dgraph");
      expect([...needed("pydgraph-client")].sort()).toEqual(
        all.filter((component) => component !== "pydgraph-client" && component !== "grafana"),
      );
      for (const object of kustomizations) {
        expect(object["spec"]).toMatchObject({
          prune: true,
          wait: true,
          timeout: expect.any(String),
          path: `./overlays/${name}/${object.metadata.name}`,
        });
        const encrypted = object.metadata.name === "identity";
        expect(field(object, "spec", "decryption")).toEqual(
          encrypted ? { provider: "sops", secretRef: { name: "sops-age" } } : undefined,
        );
      }
    });
  });

  const folders = new Map<string, string>();
  function schemasFor(version: (typeof linkerdReleases)[number]["version"]): string {
    const crds = linkerdRelease(version).charts["linkerd-crds"];
    const folder = folders.get(crds) ?? customSchemas(crds);
    folders.set(crds, folder);
    return folder;
  }
});

/** Decrypts a Secret as Flux does, after kustomize has labelled it; sops checks the MAC as well, which Flux does not. */
async function decrypt(object: KubernetesObject): Promise<KubernetesObject> {
  if (!("sops" in object)) return object;
  const env = { SOPS_AGE_KEY: testIdentity().clusterKey };
  const types = ["--input-type", "json", "--output-type", "json"];
  return JSON.parse(
    await run(tool("sops"), ["decrypt", ...types, "/dev/stdin"], { input: JSON.stringify(object), env }),
  ) as KubernetesObject;
}
