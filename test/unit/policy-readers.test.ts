import { describe, expect, test } from "vitest";
import { newestRelease } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { probesOf } from "../../generator/kubernetes/probes.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import { serverSelects } from "../../generator/mesh/policy-readers.ts";

/*
 * Cases in which two parts of an earlier meshops interpreted the same policy differently. Both parts now use the same
 * code.
 */

const namespace = "shop";
const pod: KubernetesObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "api-1", namespace, labels: { app: "api" } },
  spec: { containers: [{ name: "linkerd-proxy" }, { name: "api", ports: [{ name: "http", containerPort: 8080 }] }] },
};
const server = (spec: object): KubernetesObject => ({
  apiVersion: "policy.linkerd.io/v1beta3",
  kind: "Server",
  metadata: { name: "api", namespace },
  spec: { port: "http", ...spec },
});
const from = { namespace, labels: {}, identity: { namespace, name: "web" } };
const verdict = (policies: readonly KubernetesObject[], path?: string): ReturnType<typeof evaluate>["mesh"] =>
  evaluate({ from, to: pod, port: 8080, ...(path === undefined ? {} : { path }) }, policies, { release: newestRelease() }).mesh;

describe("Servers", () => {
  test("a Server for external workloads does not apply to pods", () => {
    const external = { externalWorkloadSelector: { matchLabels: { app: "api" } } };
    expect(serverSelects(external, { app: "api" })).toBe(false);
    expect(verdict([server(external)])).toMatchObject({ admits: true, reason: "default", server: null });
  });

  test("a route belongs to a Server regardless of upper and lower case of the kind in parentRefs", () => {
    const route: KubernetesObject = {
      apiVersion: "policy.linkerd.io/v1beta3",
      kind: "HTTPRoute",
      metadata: { name: "ready", namespace },
      spec: {
        parentRefs: [{ group: "policy.linkerd.io", kind: "server", name: "api" }],
        rules: [{ matches: [{ path: { type: "Exact", value: "/ready" } }] }],
      },
    };
    const policies = [server({ podSelector: { matchLabels: { app: "api" } } }), route];
    expect(verdict(policies, "/other")).toMatchObject({ admits: false, reason: "no-route" });
    expect(verdict(policies, "/ready")).toMatchObject({ admits: false, reason: "route", by: "HTTPRoute ready" });
  });

  test("a ServerAuthorization without a name and a selector applies to all Servers of its namespace", () => {
    const authorization: KubernetesObject = {
      apiVersion: "policy.linkerd.io/v1beta1",
      kind: "ServerAuthorization",
      metadata: { name: "all", namespace },
      spec: { server: {}, client: { meshTLS: { identities: ["*"] } } },
    };
    const policies = [server({ podSelector: { matchLabels: { app: "api" } } }), authorization];
    expect(verdict(policies)).toMatchObject({ admits: true, by: "ServerAuthorization all" });
  });
});

describe("probes", () => {
  test("the name of a port is resolved only in the container of the probe", () => {
    const httpGet = { path: "/ready?full=1", port: "http" };
    const own = { ports: [{ name: "http", containerPort: 81 }], readinessProbe: { httpGet } };
    expect(probesOf(own)).toEqual([{ field: "readinessProbe", kind: "http", port: 81, path: "/ready" }]);
    expect(probesOf({ readinessProbe: { httpGet } })).toMatchObject([{ port: null }]);
  });

  test("a port number in quotes is a number, and tcpSocket and exec probes are omitted", () => {
    const probes = probesOf({
      livenessProbe: { httpGet: { port: "8080", scheme: "HTTPS" } },
      readinessProbe: { tcpSocket: { port: 8080 } },
      startupProbe: { grpc: { port: 9090 } },
    });
    expect(probes).toEqual([
      { field: "livenessProbe", kind: "https", port: 8080, path: "/" },
      { field: "startupProbe", kind: "grpc", port: 9090, path: "" },
    ]);
  });
});
