import { expect, test } from "vitest";
import { assess } from "../../generator/cluster/status/assess.ts";
import { nodesOfOthers } from "../../generator/cluster/status/of-others.ts";
import type { Snapshot } from "../../generator/cluster/status/snapshot.ts";
import { checksOf, testsOf } from "../../generator/cluster/verify/tests.ts";
import { modelOf } from "../../generator/components/build.ts";
import type { ClusterState, StateCheck } from "../../generator/components/check.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { field } from "../support/objects.ts";
import { environmentOf, loadFiles, specText } from "../support/specs.ts";

const namespaces = {
  shop: {
    labels: { team: "shop", "pod-security.kubernetes.io/enforce": "restricted" },
    mesh: { inject: "enabled", defaultInboundPolicy: "cluster-authenticated", proxy: { "skip-outbound-ports": "443" } },
  },
  legacy: { create: false, mesh: { inject: "ingress" } },
};

function namespace(name: string, annotations: Record<string, string>): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } } as unknown as KubernetesObject;
}

test("meshops creates the namespace with its labels and annotations, and never deletes it", () => {
  const model = modelOf(environmentOf({ namespaces }));
  const objects = model.components.find(({ id }) => id === "namespaces")?.objects["namespaces"] ?? [];
  const shop = objects.find(({ metadata }) => metadata.name === "shop");
  expect(shop?.metadata).toEqual({
    name: "shop",
    labels: namespaces.shop.labels,
    annotations: {
      "kustomize.toolkit.fluxcd.io/prune": "disabled",
      "linkerd.io/inject": "enabled",
      "config.linkerd.io/default-inbound-policy": "cluster-authenticated",
      "config.linkerd.io/skip-outbound-ports": "443",
    },
  });
  expect(objects.map(({ metadata }) => metadata.name)).not.toContain("legacy");
});

test("spec.namespaces can add labels to the namespace of a component", () => {
  const declared = { dgraph: { labels: { team: "data" } } };
  expect(loadFiles({ test: specText({ namespaces: declared }) }, "test").diagnostics).toEqual([]);
  const model = modelOf(environmentOf({ namespaces: declared }));
  const objects = model.components.find(({ id }) => id === "namespaces")?.objects["namespaces"] ?? [];
  const dgraph = objects.filter(({ metadata }) => metadata.name === "dgraph");
  expect(dgraph.map(({ metadata }) => metadata.labels)).toEqual([expect.objectContaining({ team: "data" })]);
});

test.each([
  [null, "missing", "does not exist"],
  [{}, "failed", 'linkerd.io/inject is not set instead of "ingress"'],
  [{ "linkerd.io/inject": "enabled" }, "failed", 'linkerd.io/inject is "enabled" instead of "ingress"'],
  [{ "linkerd.io/inject": "ingress", other: "x" }, "ready", null],
])("status and verify check a namespace with `create: false`: %j", (annotations, state, reason) => {
  const look = { namespaces: { legacy: namespaces.legacy }, linkerd: { lifecycle: "existing", viz: { enabled: false } } };
  const model = modelOf(environmentOf({ ...look, dgraph: { enabled: false }, pydgraphClient: undefined }));
  const found = annotations === null ? [] : [namespace("legacy", annotations)];
  const snapshot = { workloads: [], namespaces: found, linkerdConfig: null } as unknown as Snapshot;
  const node = nodesOfOthers(model, snapshot).find(({ name }) => name === "legacy");
  expect([node?.state, node?.cause?.reason ?? null]).toEqual([state, reason === null ? null : expect.stringContaining(reason)]);
  expect(assess(model, snapshot).map(({ name }) => name)).toEqual(["linkerd", "legacy"]);
  expect(testsOf(model).map(({ id }) => id)).toContain("M9");
  const check = checksOf(model).find(({ id }) => id === "M9") as StateCheck;
  const verdict = check.evaluate({ namespaces: found } as unknown as ClusterState, { now: new Date(), token: null });
  expect(verdict.status).toBe(state === "ready" ? "passed" : "failed");
});

test("if the spec declares no namespaces, verify has no test M9", () => {
  expect(testsOf(modelOf(environmentOf({}))).map(({ id }) => id)).not.toContain("M9");
  expect(field(environmentOf({}), "spec", "namespaces")).toEqual({});
});
