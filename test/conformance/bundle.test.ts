import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type LinkerdVersion, linkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { decryptFile } from "../../generator/sops/file.ts";
import { withReference, withTools } from "../support/guards.ts";
import { customSchemas, kubeconformFiles } from "../support/kubeconform.ts";
import { releaseMatrix } from "../support/matrix.ts";
import { byId, field, idOf, objectsIn } from "../support/objects.ts";
import { generateIn, makePlatform, readTree, testIdentity } from "../support/platform.ts";
import { buildOverlays, kustomizeBuild, overlaysOf } from "../support/roads.ts";
import { sopsDecrypt } from "../support/sops.ts";
import { specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * The real kustomize builds every overlay of the sample environments and of the environments in the release matrix.
 * meshops decrypts the Secrets. For one environment, the test also checks that the real sops decrypts the Secrets to
 * the same values. kubeconform validates all objects with the CRDs of the Linkerd release. Starting kustomize or
 * kubeconform takes much longer than processing the files. Therefore kustomize runs once per environment, and
 * kubeconform runs once per release.
 */
withTools(["kustomize", "kubeconform", "sops"], "real tools accept the bundle", () => {
  const samples = Object.fromEntries(
    ["base", "dev", "production"].map((name) => [name, readFileSync(`${projectRoot}environments/${name}.yaml`, "utf8")]),
  );
  const cases = [
    ...["dev", "production"].map((name) => ({ name, title: `sample ${name}`, version: "edge-26.8.3" as const })),
    ...releaseMatrix,
  ];
  const everySecret = releaseMatrix.find(({ version }) => linkerdRelease(version).traits.tracing === "jaeger-chart")?.name ?? "";
  let root: string;
  /**
   * Objects that kustomize built, keyed by environment and then by component. The Secrets in this map are encrypted.
   */
  const encrypted = new Map<string, Map<string, KubernetesObject[]>>();
  /** The same objects with decrypted Secrets. */
  const decrypted = new Map<string, Map<string, KubernetesObject[]>>();

  beforeAll(async () => {
    root = makePlatform({
      ...samples,
      ...Object.fromEntries(releaseMatrix.map(({ name, spec }) => [name, specText(spec, name)])),
    });
    expect(await generateIn(root)).toBe(0);
    for (const { name } of cases) {
      const overlays = await buildOverlays(root, name);
      encrypted.set(name, overlays);
      decrypted.set(name, new Map());
      for (const [component, objects] of overlays) decrypted.get(name)?.set(component, await Promise.all(objects.map(decrypt)));
    }
  }, 600_000);

  test("one run of kustomize for all overlays has the same result as one run per overlay; the real sops decrypts the Secrets to the same values", async () => {
    expect([...(encrypted.get(everySecret)?.keys() ?? [])]).toEqual(overlaysOf(root, everySecret));
    let secrets = 0;
    for (const [component, objects] of encrypted.get(everySecret) ?? []) {
      const alone = objectsIn(await kustomizeBuild(join(root, "overlays", everySecret, component)));
      expect(byId(objects), component).toEqual(byId(alone));
      const opened = byId(decrypted.get(everySecret)?.get(component) ?? []);
      for (const object of alone.filter((each) => "sops" in each)) {
        expect(await sopsDecrypted(object)).toEqual(opened[idOf(object)]);
        secrets += 1;
      }
    }
    expect(secrets).toBe(7);
  });

  describe.each(cases)("$title", ({ name, version }) => {
    let built: Map<string, KubernetesObject[]>;
    beforeAll(() => {
      built = decrypted.get(name) ?? new Map();
      expect([...built.keys()]).toEqual(overlaysOf(root, name));
    });

    withReference("with the CRDs of the release", () => {
      test("passes kubeconform in strict mode", async () => {
        const judged = (await judgedBundles(version)).get(name);
        expect(judged).toEqual({ valid: objectsIn(wholeBundle(name)).length, problems: [] });
      });
    });

    test("every object has the common labels and a unique id", () => {
      const objects = [...built.values()].flat();
      for (const object of objects)
        expect(object.metadata.labels, idOf(object)).toMatchObject({
          "app.kubernetes.io/managed-by": "meshops",
          "app.kubernetes.io/part-of": expect.stringMatching(/^(linkerd|dgraph|grafana|meshops)$/),
        });
      const ids = objects.map(idOf);
      expect(new Set(ids).size).toBe(ids.length);
    });

    test("each HelmRelease refers to an existing ConfigMap with values, whose name ends with a hash", () => {
      for (const [component, objects] of built) {
        for (const release of objects.filter(({ kind }) => kind === "HelmRelease")) {
          const [reference] = field(release, "spec", "valuesFrom") as { name: string }[];
          expect(reference?.name).toMatch(new RegExp(`^${component}-values-[0-9a-z]{10}$`));
          expect(objects.map(idOf)).toContain(`ConfigMap/${release.metadata.namespace}/${reference?.name}`);
        }
      }
    });

    test("through dependsOn, each of Flux's Kustomizations waits for all Kustomizations that it needs", () => {
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
      const mesh = ["identity", "linkerd-control-plane", "linkerd-crds", "namespaces"];
      const present = (...components: string[]): string[] => all.filter((component) => components.includes(component));
      expect([...needed("dgraph-policy")].sort()).toEqual(present("dgraph-policy").length === 0 ? [] : mesh);
      expect([...needed("dgraph")].sort()).toEqual(present("dgraph-policy", ...mesh));
      expect([...needed("service-profile")].sort()).toEqual(present("dgraph", "dgraph-policy", ...mesh));
      expect([...needed("pydgraph-client")].sort()).toEqual(present("dgraph", "dgraph-policy", "service-profile", ...mesh));
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

  /**
   * Returns a YAML stream of the Flux objects of an environment, and of all objects in the overlays of the environment.
   */
  function wholeBundle(name: string): string {
    const flux = Object.values(readTree(join(root, "flux", name))).join("---\n");
    const overlays = [...(decrypted.get(name)?.values() ?? [])].flat();
    return `${flux}---\n${overlays.map((object) => JSON.stringify(object)).join("\n---\n")}`;
  }

  const runs = new Map<LinkerdVersion, ReturnType<typeof kubeconformFiles>>();
  /** Returns kubeconform's results for all environments of a release, keyed by the name of the environment. */
  function judgedBundles(version: LinkerdVersion): ReturnType<typeof kubeconformFiles> {
    const started = runs.get(version);
    if (started !== undefined) return started;
    const names = cases.filter((each) => each.version === version).map(({ name }) => name);
    const bundles = Object.fromEntries(names.map((name) => [name, wholeBundle(name)]));
    const judging = kubeconformFiles(bundles, customSchemas(linkerdRelease(version).charts["linkerd-crds"]));
    runs.set(version, judging);
    return judging;
  }
});

/**
 * Decrypts a Secret that kustomize has built, and to which kustomize has added labels. Flux also decrypts Secrets after
 * the build.
 */
async function decrypt(object: KubernetesObject): Promise<KubernetesObject> {
  if (!("sops" in object)) return object;
  const options = { identities: [testIdentity().clusterKey], format: "json" } as const;
  return JSON.parse(await decryptFile(JSON.stringify(object), options)) as KubernetesObject;
}

/** Decrypts a Secret with the real sops, which also verifies the MAC. Flux does not verify the MAC. */
async function sopsDecrypted(object: KubernetesObject): Promise<KubernetesObject> {
  const { code, stdout, stderr } = await sopsDecrypt(JSON.stringify(object), testIdentity().clusterKey, "json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as KubernetesObject;
}
