import { join } from "node:path";
import { expect, test } from "vitest";
import { readInjection } from "../../generator/inject/config.ts";
import { transform } from "../../generator/inject/transform.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { parseSource } from "../../generator/spec/parse.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { objectsIn } from "../support/objects.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { kustomizeBuild } from "../support/roads.ts";

/** Manifests of a service, as a chart renders them. */
const rendered = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-api, namespace: shop}
spec:
  selector: {matchLabels: {app: shop, tier: api}}
  template:
    metadata: {labels: {app: shop, tier: api}, annotations: {config.linkerd.io/opaque-ports: "5432"}}
    spec:
      serviceAccountName: shop-api
      containers: [{name: api, image: example.org/shop:1, ports: [{containerPort: 8080}, {containerPort: 5432}]}]
---
apiVersion: v1
kind: Service
metadata: {name: shop-api, namespace: shop, annotations: {config.linkerd.io/opaque-ports: "5432"}}
spec: {selector: {app: shop, tier: api}, ports: [{port: 8080}, {port: 5432}]}
`;

const injection = `apiVersion: meshops.dev/v1alpha1
kind: MeshInjection
metadata: {name: shop}
spec:
  linkerd: edge-26.8.3
  viz: true
  clients:
    - {namespace: web, serviceAccount: web, ports: [8080]}
    - {namespace: orders, serviceAccount: orders}
`;

const spec = `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  gitops: {url: https://github.com/acme/platform}
  linkerd: {lifecycle: existing, version: edge-26.8.3, viz: {enabled: true}}
  dgraph: {enabled: false}
  workloads:
    shop:
      namespace: shop
      pods:
        api:
          selector: {matchLabels: {app: shop, tier: api}}
          serviceAccountName: shop-api
          ports:
            "8080": {port: 8080}
            "5432": {port: 5432, protocol: opaque}
          access:
            mode: enforce
            clients:
              web: {serviceAccountRef: {namespace: web, name: web}, ports: [8080]}
              orders: {serviceAccountRef: {namespace: orders, name: orders}}
`;

/**
 * Returns API version, kind, name, namespace and spec of each policy, sorted. Removes the suffix `-mesh` that `inject`
 * adds to the name of the NetworkPolicy.
 */
function policiesIn(objects: readonly KubernetesObject[]): unknown[] {
  const kinds = ["NetworkPolicy", "Server", "AuthorizationPolicy", "MeshTLSAuthentication"];
  return objects
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ apiVersion, kind, metadata, ...object }) => ({
      apiVersion,
      kind,
      name: metadata.name.replace(/-mesh$/, ""),
      namespace: metadata.namespace,
      spec: (object as { spec?: unknown }).spec,
    }))
    .sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
}

withTools(["kustomize"], "MeshInjection and spec.workloads", () => {
  test("lead to the same policies, if both describe the same service", async () => {
    const { injection: settings } = readInjection(parseSource("mesh.yaml", injection));
    if (settings === null) throw new Error("the MeshInjection is not valid");
    const injected = objectsIn(transform(rendered, settings).text);
    const root = scratchFolder("one-model");
    writeTree(root, { "environments/shop.yaml": spec });
    const { code, stderr } = await meshops(root, ["generate"]);
    expect(code, stderr).toBe(0);
    const built = objectsIn(await kustomizeBuild(join(root, "overlays/shop/policies/shop")));
    expect(policiesIn(built).length).toBe(1 + 2 * 3);
    expect(policiesIn(injected)).toEqual(policiesIn(built));
  });
});
