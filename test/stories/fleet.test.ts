import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { field } from "../support/objects.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

/**
 * A spec for the migration case `fleet`. In this case, many clusters read the generated files from an OCI artifact, and
 * another tool installs Linkerd in these clusters.
 */
const spec = {
  secrets: null,
  gitops: {
    url: null,
    path: "mesh",
    namespace: "platform",
    namePrefix: "mesh-",
    sourceRef: { kind: "OCIRepository", name: "mesh", namespace: "platform" },
    root: { kustomization: { name: "mesh-dgraph", namespace: "platform" } },
  },
  cluster: { provider: "aks", kubernetesVersion: "1.33" },
  linkerd: { lifecycle: "existing", version: "edge-26.4.2", viz: { enabled: false } },
  pydgraphClient: { enabled: false },
  components: { "dgraph-policy": { dependsOn: [{ kustomization: { name: "mesh-linkerd", namespace: "platform" } }] } },
  rules: { ignore: [{ code: "linkerd-version-untested", reason: "others choose the release" }] },
};

test("with an OCIRepository, every Kustomization reads the artifact, and no Kustomization delivers a component of Linkerd", async () => {
  const root = makePlatform({ own: specText(spec, "own") });
  for (const folder of ["environments/own/identity", "overlays/own/identity"])
    rmSync(join(root, folder), { recursive: true, force: true });
  expect(await generateIn(root)).toBe(0);
  const files = readdirSync(join(root, "flux/own"));
  const objects = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, "flux/own", file), "utf8")).map((document) => document.toJS()),
  );
  const kustomizations = objects.filter((object) => field(object, "kind") === "Kustomization");
  expect(kustomizations.map((object) => field(object, "metadata", "name"))).toEqual([
    "mesh-dgraph-policy",
    "mesh-dgraph",
    "mesh-namespaces",
    "mesh-service-profile",
  ]);
  for (const object of kustomizations) {
    expect(field(object, "metadata", "namespace")).toBe("platform");
    expect(field(object, "spec", "sourceRef")).toEqual({ kind: "OCIRepository", name: "mesh" });
    expect(field(object, "spec", "path")).toMatch(/^\.\/mesh\/overlays\/own\//);
    expect(object).not.toHaveProperty("spec.decryption");
  }
  const policy = kustomizations.find((object) => field(object, "metadata", "name") === "mesh-dgraph-policy");
  expect(field(policy, "spec", "dependsOn")).toEqual([
    { name: "mesh-namespaces" },
    { name: "mesh-linkerd", namespace: "platform" },
  ]);
});
