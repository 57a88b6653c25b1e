import { expect, test } from "vitest";
import { countedClients } from "../../generator/cluster/counted-clients.ts";
import { renderCounted } from "../../generator/commands/status/render-counted.ts";
import { modelOf } from "../../generator/components/build.ts";
import { podSetsIn } from "../../generator/components/model.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { countedIn } from "../../generator/mesh/counted.ts";
import { environmentOfShop } from "../support/specs.ts";

/*
 * Metrics in the format that a proxy writes (linkerd2-proxy, app/inbound/src/metrics/authz.rs and
 * app/core/src/metrics.rs). The labels `authz_name` and `client_id` have the form that was observed on a real mesh.
 * Metrics of unmeshed clients have the label `tls="no_identity"`, and no label `client_id`.
 */
const target = 'target_addr="0.0.0.0:8080",target_ip="0.0.0.0",target_port="8080"';
const server = (name: string): string => `srv_group="policy.linkerd.io",srv_kind="server",srv_name="${name}",srv_port="8080"`;
const route = 'route_group="",route_kind="default",route_name="default"';
const audit = 'authz_group="",authz_kind="default",authz_name="audit"';
const identity = (name: string): string => `tls="true",client_id="${name}.serviceaccount.identity.linkerd.cluster.local"`;
const bare = 'tls="no_identity",no_tls_reason="not_provided_by_remote"';

const metrics = `# HELP inbound_http_authz_allow_total The total number of inbound HTTP requests that were authorized
# TYPE inbound_http_authz_allow_total counter
inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},${audit},${identity("cron.reports")}} 12
inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},${audit},${identity("web.web")}} 3
inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},${audit},${bare}} 4
inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},authz_group="",authz_kind="default",authz_name="probe",${bare}} 900
inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},authz_group="policy.linkerd.io",authz_kind="authorizationpolicy",authz_name="shop-api-http",${identity("web.web")}} 50
inbound_http_authz_deny_total{${target},${server("shop-api-http")},${route},${identity("cron.reports")}} 7
inbound_tcp_authz_allow_total{${target},${server("shop-api-db")},${audit},${identity("web.web")}} 2
inbound_tcp_authz_allow_total{${target},srv_group="",srv_kind="default",srv_name="all-unauthenticated",srv_port="9090",${audit},${identity("web.web")}} 2
request_total{direction="inbound"} 1
`;

const model = modelOf(
  environmentOfShop({
    api: {
      selector: { matchLabels: { app: "shop" } },
      ports: { http: { port: 8080, protocol: "HTTP/1" }, db: { port: 5432, protocol: "opaque" } },
      access: {
        mode: "audit",
        clients: {
          web: { serviceAccountRef: { namespace: "web", name: "web" }, ports: ["http"] },
          operators: { namespace: "operators" },
        },
      },
    },
  }),
);

const pod = (name: string): KubernetesObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels: { app: "shop" } },
    spec: { containers: name === "without-proxy" ? [] : [{ name: "linkerd-proxy" }] },
  }) as unknown as KubernetesObject;

test("countedIn returns only the counters of the mode audit, each with the client's service account if the client is meshed", () => {
  expect(countedIn(metrics).slice(0, 3)).toEqual([
    { server: "shop-api-http", identity: { namespace: "reports", name: "cron" }, count: 12 },
    { server: "shop-api-http", identity: { namespace: "web", name: "web" }, count: 3 },
    { server: "shop-api-http", identity: null, count: 4 },
  ]);
  expect(countedIn(metrics).length).toBe(5);
  expect(countedIn("<html>")).toEqual([]);
});

test("status lists the counted clients that the spec does not list for the port, with the sum of their counts in all pods of a set", () => {
  const found = countedClients(
    podSetsIn(model),
    [pod("api-1"), pod("api-2"), pod("api-3"), pod("without-proxy")],
    new Map([
      ["shop/api-1", metrics],
      ["shop/api-2", metrics],
      ["shop/api-3", null],
    ]),
  );
  expect(found).toEqual([
    {
      pods: "shop/api",
      unread: 1,
      clients: [
        { key: "http", port: 8080, identity: { namespace: "reports", name: "cron" }, count: 24 },
        { key: "http", port: 8080, identity: null, count: 8 },
        { key: "db", port: 5432, identity: { namespace: "web", name: "web" }, count: 4 },
      ],
    },
  ]);
  const lines = renderCounted(found);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  const text = lines.join(" ").replace(/\s+/g, " ");
  expect(text).toContain("shop/api http 8080: reports/cron, 24 times");
  expect(text).toContain("a client without an identity (the proxy log of the called pod shows the client's address), 8 times");
  expect(text).toContain("meshops did not read the metrics of 1 pod of shop/api");
});

test("the counted clients do not include the service accounts that meshops verify creates", () => {
  const verified = `inbound_http_authz_allow_total{${target},${server("shop-api-http")},${route},${audit},${identity("meshops-verify-a1b2c3.web")}} 1\n`;
  expect(countedClients(podSetsIn(model), [pod("api-1")], new Map([["shop/api-1", verified]]))).toEqual([]);
});

test("if no client was counted, status prints nothing about counted clients", () => {
  expect(countedClients(podSetsIn(model), [pod("api-1")], new Map([["shop/api-1", ""]]))).toEqual([]);
  expect(renderCounted([])).toEqual([]);
});
