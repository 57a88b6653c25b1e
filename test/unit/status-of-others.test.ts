import { expect, test } from "vitest";
import { assess } from "../../generator/cluster/status/assess.ts";
import { nodesOfOthers } from "../../generator/cluster/status/of-others.ts";
import { modelOf } from "../../generator/components/build.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { emptySnapshot } from "../support/snapshot.ts";
import { environmentOf } from "../support/specs.ts";

const model = modelOf(
  environmentOf({
    linkerd: { lifecycle: "existing", viz: { enabled: false } },
    dgraph: { enabled: false },
    pydgraphClient: undefined,
  }),
);

function deployment(name: string, version: string | null): KubernetesObject {
  const labels = version === null ? {} : { "app.kubernetes.io/part-of": "Linkerd", "app.kubernetes.io/version": version };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "linkerd", labels, generation: 1 },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } } } },
    status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1 },
  } as unknown as KubernetesObject;
}

function config(values: string): KubernetesObject {
  const metadata = { name: "linkerd-config", namespace: "linkerd" };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { values } } as unknown as KubernetesObject;
}

const workloads = [deployment("linkerd-identity", "edge-26.8.3"), deployment("gateway-api", null)];

test("if an existing Linkerd runs as the spec declares, status reports its namespace as ready, with its version", () => {
  const linkerdConfig = config("clusterDomain: cluster.local\nidentityTrustDomain: ''\n");
  expect(nodesOfOthers(model, { ...emptySnapshot, workloads, linkerdConfig })).toMatchObject([
    { kind: "Namespace", name: "linkerd", state: "ready", detail: "edge-26.8.3, 2 workloads", cause: null },
  ]);
});

test.each([
  ["no workload", [], null, "missing", "contains no workload"],
  ["another version", [deployment("linkerd-identity", "edge-25.10.7")], null, "linkerd-fact", "Linkerd edge-25.10.7 runs"],
  [
    "another cluster domain",
    workloads,
    "clusterDomain: k8s.example.org\n",
    "linkerd-fact",
    "linkerd.clusterDomain is k8s.example.org in the cluster",
  ],
  [
    "another trust domain",
    workloads,
    "clusterDomain: cluster.local\nidentityTrustDomain: mesh.example.org\n",
    "linkerd-fact",
    "linkerd.identity.trustDomain is mesh.example.org in the cluster, but the spec declares cluster.local",
  ],
] as const)("if the existing Linkerd has %s, status reports a cause", (_, found, values, code, reason) => {
  const linkerdConfig = values === null ? null : config(values);
  const [node] = nodesOfOthers(model, { ...emptySnapshot, workloads: [...found], linkerdConfig });
  expect(node?.cause).toMatchObject({ code, reason: expect.stringContaining(reason) });
});

test("if a Kustomization applies a folder of another environment, status reports the Kustomization as failed", () => {
  const kustomization = (path: string): KubernetesObject =>
    ({
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "namespaces", namespace: "flux-system", generation: 1 },
      spec: { path },
      status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
    }) as unknown as KubernetesObject;
  const stateOf = (path: string): unknown => {
    const nodes = assess(modelOf(environmentOf()), { ...emptySnapshot, kustomizations: [kustomization(path)] });
    const { state, cause } = nodes.find(({ name }) => name === "namespaces") ?? {};
    return [state, cause?.code, cause?.reason];
  };
  expect(stateOf("./overlays/test/namespaces")).toEqual(["ready", undefined, undefined]);
  expect(stateOf("overlays/test/namespaces")).toEqual(["ready", undefined, undefined]);
  expect(stateOf("./overlays/other/namespaces")).toEqual([
    "failed",
    "foreign",
    "in the cluster, spec.path of this Kustomization is ./overlays/other/namespaces; in the generated files, it is ./overlays/test/namespaces",
  ]);
});
