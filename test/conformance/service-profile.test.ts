import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { render } from "../../generator/bundle/render.ts";
import { dgraphApi21, dgraphApi25 } from "../../generator/catalog/dgraph-api.ts";
import { readProto } from "../../generator/components/workloads/proto.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { grpcRoutes } from "../../generator/mesh/grpc-route.ts";
import { profileRoutes, serviceProfile } from "../../generator/mesh/service-profile.ts";
import { withReference } from "../support/guards.ts";
import { field, objectsIn, pick } from "../support/objects.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { referenceFolder } from "../support/tools.ts";

interface Route {
  readonly name: string;
  readonly condition: unknown;
  readonly isRetryable?: boolean;
}

withReference("the ServiceProfile", () => {
  const reference = (): KubernetesObject =>
    pick(
      objectsIn(readFileSync(`${referenceFolder}linkerd/service-profile-dgraph-25.yaml`, "utf8")),
      "ServiceProfile",
      "demo-dgraph-alpha.dgraph.svc.cluster.local",
    );
  const routes = (object: KubernetesObject): Route[] => field(object, "spec", "routes") as Route[];

  test("equals the output of `linkerd profile --proto` for Dgraph 25's api.proto if no method is retried", () => {
    const methods = { CheckVersion: { retry: false }, ListNamespaces: { retry: false } };
    expect(profileOf({ chart: "25.0.0-preview6", methods })).toEqual(reference());
  });

  test("has the same routes by default, but retries the two read-only methods", () => {
    const ours = profileOf({ chart: "25.0.0-preview6" });
    expect(routes(ours).map(({ name, condition }) => ({ name, condition }))).toEqual(routes(reference()));
    expect(routes(ours).flatMap(({ name, isRetryable }) => (isRetryable === true ? [name] : []))).toEqual([
      "CheckVersion",
      "ListNamespaces",
    ]);
  });

  test.each(["0.0.17", "0.0.20", "0.3.0", "24.1.4"])("contains the five methods of the older chart %s", (chart) => {
    const five = ["Login", "Query", "Alter", "CommitOrAbort", "CheckVersion"];
    const expected = routes(reference()).filter(({ name }) => five.includes(name));
    expect(routes(profileOf({ chart })).map(({ name, condition }) => ({ name, condition }))).toEqual(expected);
  });

  test("has the host name of the Service as its name, with the cluster domain of the spec", () => {
    const environment = { linkerd: { clusterDomain: "example.org" }, dgraph: { release: "graph", namespace: "data" } };
    expect(profileOf(environment.dgraph, environment.linkerd).metadata).toEqual({
      name: "graph-dgraph-alpha.data.svc.example.org",
      namespace: "data",
    });
  });

  test("a profile from the catalog equals a profile from a .proto file with the services of Dgraph 25", () => {
    const { services } = readProto("api.proto", asProto(dgraphApi25));
    const target = { name: "demo-dgraph-alpha", namespace: "dgraph", clusterDomain: "cluster.local" };
    expect(serviceProfile(target, profileRoutes(services))).toEqual(reference());
  });
});

describe("GRPCRoutes", () => {
  const target = { name: "demo-dgraph-alpha", namespace: "dgraph", clusterDomain: "cluster.local" };
  const routes = grpcRoutes(target, 9080, profileRoutes([dgraphApi21], { Query: { timeout: "30s" } }));

  test("each match one method; one more GRPCRoute matches all other calls, because Linkerd would otherwise reject them", () => {
    const matched = routes.map((route) => field(route, "spec", "rules", 0, "matches"));
    expect(matched).toEqual([
      ...dgraphApi21.methods.map(({ name }) => [{ method: { service: "api.Dgraph", method: name } }]),
      undefined,
    ]);
    expect(new Set(routes.map(({ metadata }) => metadata.name)).size).toBe(6);
  });

  test("apply only to the gRPC port of the Service, not to its HTTP port", () => {
    for (const route of routes)
      expect(field(route, "spec", "parentRefs")).toEqual([{ group: "", kind: "Service", name: "demo-dgraph-alpha", port: 9080 }]);
  });

  test("have Linkerd's annotations for retries and timeouts", () => {
    expect(routes.map(({ metadata }) => metadata.annotations)).toEqual([
      undefined,
      { "timeout.linkerd.io/request": "30s" },
      undefined,
      undefined,
      { "retry.linkerd.io/grpc": "unavailable" },
      undefined,
    ]);
  });

  test("have valid and unique Kubernetes names for any method names", () => {
    const odd = [
      "GetURL",
      "GetUrl",
      "get_url",
      "Get__URL",
      "_",
      "__",
      "OtherMethods",
      "X".repeat(400),
      `${"X".repeat(400)}Y`,
      "x1",
      "X1",
    ];
    const methods = odd.map((name) => ({ name, streaming: false, idempotent: false }));
    const names = grpcRoutes(target, 9080, profileRoutes([{ name: "S", methods }])).map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(odd.length + 1);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/);
  });
});

function profileOf(dgraph: Record<string, unknown>, linkerd: Record<string, unknown> = {}): KubernetesObject {
  const { bundle } = render({ environment: environmentOf({ dgraph, linkerd }), identity: sampleIdentity() });
  const [profile] = objectsIn(bundle.get("overlays/test/service-profile/service-profile.yaml") ?? "");
  if (profile === undefined) throw new Error("no ServiceProfile");
  return profile;
}

/**
 * Returns the text of a .proto file with the methods of a service. The text contains no options for idempotency, as in
 * Dgraph's .proto file.
 */
function asProto({ name, methods }: typeof dgraphApi25): string {
  const [, package_, service] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  const rpcs = methods.map(({ name: method, streaming }) => `  rpc ${method}(${streaming ? "stream " : ""}Any) returns (Any) {}`);
  return `syntax = "proto3";\npackage ${package_};\nservice ${service} {\n${rpcs.join("\n")}\n}\nmessage Any {}\n`;
}
