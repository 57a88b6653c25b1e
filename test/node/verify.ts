import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { ApiObject } from "../cluster/harness/api.ts";
import { isReady } from "../cluster/harness/helm-actor.ts";
import { makeGitPlatform, type Platform } from "../cluster/harness/platform.ts";
import { until } from "../cluster/harness/processes.ts";
import { meshops } from "../support/cli.ts";
import { clusterOf } from "../support/dgraph-peers.ts";
import { objectsIn } from "../support/objects.ts";
import { kustomizeBuild } from "../support/roads.ts";
import { referenceFolder } from "../support/tools.ts";
import type { RealNode } from "./harness/node.ts";
import { clientImage, nodeImage } from "./harness/node-image.ts";

interface CheckResult {
  readonly id: string;
  readonly status: string;
  readonly cause: string | null;
  readonly seen: string;
}

/*
 * Tests the checks of `meshops verify` whose probes need no proxy. T0 passes if an unmeshed pod reaches Alpha without
 * policies. T1 passes if an unmeshed pod is refused. T2c passes if a pod with a forged label is refused. The probes run
 * as real pods. The program test/node/pods/alpha.mjs acts as Alpha.
 */
export function verifyTests(running: () => RealNode): void {
  let node: RealNode;
  let platform: Platform;
  beforeAll(async () => {
    platform = await makeGitPlatform();
    node = running();
    await node.api.applyAll(readFileSync(join(referenceFolder, "charts/linkerd-crds/2026.8.3/rendered.yaml"), "utf8"));
    for (const component of ["namespaces", "dgraph-policy"]) await applyOverlay(component);
    await node.api.apply(account("pydgraph-client"));
    await node.api.apply(service);
    await node.api.apply(alpha);
    await until("Alpha is ready", async () => {
      const pod = await node.api.get("/api/v1/namespaces/dgraph/pods/demo-dgraph-alpha-0");
      return pod !== null && isReady(pod);
    });
  });
  afterAll(() => node.removeNamespaces(["dgraph", "pydgraph-client", "restricted"]));

  async function applyOverlay(component: string): Promise<void> {
    for (const object of objectsIn(await kustomizeBuild(join(platform.root, `overlays/own/${component}`))))
      await node.api.apply(object as ApiObject);
  }

  async function verify(...args: string[]): Promise<{ code: number | null; tests: Record<string, CheckResult>; stderr: string }> {
    const flags = ["--context", "harness", "--kubeconfig", node.plane.kubeconfigFile("admin"), "--output", "json"];
    const ended = await meshops(platform.root, ["verify", "own", ...flags, "--image", clientImage, ...args]);
    if (ended.stdout === "") throw new Error(ended.stderr);
    const { tests } = JSON.parse(ended.stdout) as { tests: CheckResult[] };
    return { code: ended.code, stderr: ended.stderr, tests: Object.fromEntries(tests.map((each) => [each.id, each])) };
  }

  /** Returns the names of the objects that `meshops verify` created and did not delete. */
  async function left(): Promise<string[]> {
    const objects = [
      ...(await node.api.list("/api/v1/pods")),
      ...(await node.api.list("/api/v1/namespaces")),
      ...(await node.api.list("/api/v1/serviceaccounts")),
    ];
    return objects
      .filter(({ metadata }) => /verify/.test(metadata.name) && metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  }

  test("with the generated NetworkPolicies, T1 and T2c pass", async () => {
    const { tests } = await verify("--only", "T1,T2c");
    expect(tests["T1"]).toMatchObject({ status: "passed" });
    expect(tests["T2c"]).toMatchObject({ status: "passed" });
    expect(await left()).toEqual([]);
    expect(await node.api.list("/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies")).toHaveLength(2);
  });

  test("without NetworkPolicies, an unmeshed pod reaches Alpha (T0), and verify reports why T1 and T2c fail", async () => {
    const path = "/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies";
    for (const { metadata } of await node.api.list(path)) await node.api.delete(`${path}/${metadata.name}`);
    const { tests, code } = await verify("--only", "T0,T1,T2c", "--baseline");
    await applyOverlay("dgraph-policy");
    expect(code).toBe(1);
    expect(tests["T0"]).toMatchObject({ status: "passed" });
    expect(tests["T1"]).toMatchObject({ status: "failed", cause: expect.stringContaining("NetworkPolicy") });
    expect(tests["T2c"]).toMatchObject({ status: "failed", cause: expect.stringContaining("NetworkPolicy") });
  });

  test("if the image of a probe cannot be pulled, verify reports this cause, and deletes all objects that it created", async () => {
    const { tests, code } = await verify("--only", "T1", "--image", "registry.example/absent:1", "--probe-timeout", "10");
    expect(code).not.toBe(0);
    expect(JSON.stringify(tests["T1"])).toContain("registry.example/absent:1 cannot be pulled");
    expect(await left()).toEqual([]);
  });

  test("a real API server refuses a pod that violates Pod Security restricted in a namespace that enforces this level", async () => {
    // The first test of this file shows that the API server admits the pods of probes in a namespace with this level.
    // This test shows that the API server rejects other pods in such a namespace.
    const name = "restricted";
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await node.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    const pod = { ...alpha, metadata: { name: "plain", namespace: name } };
    await expect(node.api.apply(pod)).rejects.toThrow(/violates PodSecurity "restricted:latest"/);
  });
}

const { peers } = clusterOf(linkerdRelease("edge-26.8.3"), "opaque", "24.1.4");

const service: ApiObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "demo-dgraph-alpha", namespace: "dgraph" },
  spec: {
    selector: { component: "alpha" },
    ports: [
      { name: "http", port: 8080 },
      { name: "grpc", port: 9080 },
    ],
  },
};

/** A container with the program alpha.mjs, which acts as Alpha. */
export const alphaContainer: object = {
  name: "alpha",
  image: nodeImage,
  imagePullPolicy: "Never",
  args: ["/pods/alpha.mjs"],
  readinessProbe: { httpGet: { path: "/health", port: 8080 }, periodSeconds: 1 },
};

const alpha: ApiObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "demo-dgraph-alpha-0", namespace: "dgraph", labels: { ...peers["alpha"]?.labels } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [alphaContainer],
  },
};

function account(name: string): ApiObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: name } };
}
