import { expect, test } from "vitest";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import { isOpaqueForClients, isOpaqueForServer } from "../../generator/mesh/ports.ts";

/*
 * The destination controller resolves the names of container ports in the annotation for opaque ports. If the
 * annotation contains a name, the policy controller ignores the whole annotation (linkerd2, pkg/util/parsing.go and
 * policy-controller ports.rs).
 */
function pod(opaque: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "db",
      namespace: "shop",
      labels: { app: "db" },
      annotations: { "config.linkerd.io/opaque-ports": opaque },
    },
    spec: {
      containers: [{ name: "db", ports: [{ name: "sql", containerPort: 7777 }] }, { name: "linkerd-proxy" }],
    },
  } as unknown as KubernetesObject;
}

test.each([
  ["7777", true, true],
  ["sql", true, false],
  ["sql,7777", true, false],
  ["7000-8000", true, true],
  ["3306", false, false],
  ["", false, false],
] as const)("opaque-ports: %j", (list, forClients, forServer) => {
  expect([isOpaqueForClients(pod(list), 7777), isOpaqueForServer(pod(list), 7777)]).toEqual([forClients, forServer]);
});

test.each(["7777", "sql"])("a Server for HTTP refuses meshed clients if the pod lists its port as opaque: %s", (list) => {
  const server = {
    apiVersion: "policy.linkerd.io/v1beta3",
    kind: "Server",
    metadata: { name: "db", namespace: "shop" },
    spec: { podSelector: {}, port: 7777, proxyProtocol: "HTTP/1", accessPolicy: "all-unauthenticated" },
  } as unknown as KubernetesObject;
  const from = { namespace: "web", labels: {}, identity: { namespace: "web", name: "web" } };
  const installation = { release: linkerdRelease("edge-26.8.3") };
  expect(evaluate({ from, to: pod(list), port: 7777 }, [server], installation).admitted).toBe(false);
  expect(evaluate({ from, to: pod("3306"), port: 7777 }, [server], installation).admitted).toBe(true);
});
