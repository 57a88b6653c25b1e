import { expect, test } from "vitest";
import { describedNodes } from "../../generator/cluster/status/described.ts";
import type { Snapshot } from "../../generator/cluster/status/snapshot.ts";
import { modelOf } from "../../generator/components/build.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { emptySnapshot } from "../support/snapshot.ts";
import { environmentOfShop } from "../support/specs.ts";

const model = modelOf(
  environmentOfShop({
    api: {
      workloadRef: { kind: "Deployment", name: "shop-api" },
      selector: { matchLabels: { app: "shop" } },
      serviceAccountName: "shop",
      ports: { http: { port: 8080 } },
      access: { mode: "audit" },
    },
    jobs: { workloadRef: { kind: "CronJob", name: "report" }, selector: { matchLabels: { app: "report" } } },
    operated: { selector: { matchLabels: { app: "kafka" } } },
  }),
);

function deployment(replicas: number): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop-api", namespace: "shop", generation: 1 },
    spec: { replicas, selector: { matchLabels: { app: "shop" } }, template: { metadata: { labels: { app: "shop" } } } },
    status: { observedGeneration: 1, replicas, readyReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas },
  } as unknown as KubernetesObject;
}

function pod(labels: Record<string, string>, account: string, meshed: boolean): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `${Object.values(labels).join("-")}-1`, namespace: "shop", labels },
    spec: { serviceAccountName: account, containers: [{ name: "a" }, ...(meshed ? [{ name: "linkerd-proxy" }] : [])] },
    status: { phase: "Running" },
  } as unknown as KubernetesObject;
}

const nodesWith = (change: Partial<Snapshot>): ReturnType<typeof describedNodes> =>
  describedNodes(model, { ...emptySnapshot, ...change });

const kafka = pod({ app: "kafka" }, "default", true);

test("sets of pods that run as the spec describes are ready, and the set of a CronJob is also ready without pods", () => {
  const nodes = nodesWith({ workloads: [deployment(1)], pods: [pod({ app: "shop" }, "shop", true), kafka] });
  expect(nodes.map(({ kind, name, state, detail }) => [kind, name, state, detail])).toEqual([
    ["Pods", "shop/api", "ready", "1/1"],
    ["Pods", "shop/jobs", "ready", "0 pods"],
    ["Pods", "shop/operated", "ready", "1 pod"],
  ]);
});

test.each([
  ["the workload is missing", { pods: [kafka] }, "missing", "missing", "Deployment shop-api does not exist in namespace shop"],
  [
    "the selector selects nothing",
    { workloads: [deployment(2)], pods: [pod({ app: "store" }, "shop", true), kafka] },
    "failed",
    "description",
    "the selector in the spec matches none of the 2 pods of Deployment shop-api",
  ],
  [
    "the pods have another service account",
    { workloads: [deployment(1)], pods: [pod({ app: "shop" }, "default", true), kafka] },
    "failed",
    "description",
    "pods have the service account default, but the spec declares shop",
  ],
  [
    "the pods have no proxy",
    { workloads: [deployment(1)], pods: [pod({ app: "shop" }, "shop", false), kafka] },
    "failed",
    "not-meshed",
    "1 of 1 pod has no proxy, so Linkerd does not check which clients connect to this pod",
  ],
] as const)("if %s, status reports a cause", (_, snapshot, state, code, reason) => {
  const [node] = nodesWith(snapshot as unknown as Partial<Snapshot>);
  expect(node).toMatchObject({ state, cause: { code } });
  expect(node?.cause?.reason).toContain(reason);
});

test("if the spec describes pods without their workload, and no such pod runs, status reports the set as missing", () => {
  const nodes = nodesWith({ workloads: [deployment(1)], pods: [pod({ app: "shop" }, "shop", true)] });
  expect(nodes[2]).toMatchObject({ state: "missing", cause: { code: "missing" } });
  expect(nodes[2]?.cause?.reason).toContain("no pod in namespace shop matches the selector in the spec");
});
