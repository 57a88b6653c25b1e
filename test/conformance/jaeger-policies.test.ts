import { expect, test } from "vitest";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { modelOf } from "../../generator/components/build.ts";
import { generatedObjects } from "../../generator/components/model.ts";
import type { Attempt } from "../support/policy-evaluator.ts";
import { agreed } from "../support/policy-worlds.ts";
import { environmentOf } from "../support/specs.ts";

/*
 * The standalone Jaeger has no Servers of its own. With the default policy `deny`, proxies must still be able to send
 * traces, and the dashboard of linkerd-viz must still be able to read them.
 */
const releases = linkerdReleases.filter(({ traits }) => traits.tracing !== "jaeger-chart");
const proxy = { skipInbound: [], skipOutbound: [], opaque: [] };
const client = (namespace: string, serviceAccount: string, isMeshed = true): object => ({
  namespace,
  labels: isMeshed ? { "linkerd.io/control-plane-ns": "linkerd" } : {},
  serviceAccount,
  proxy: isMeshed ? proxy : null,
  probes: [],
  kubelet: false,
});

const jaeger = {
  namespace: "linkerd-jaeger",
  labels: { "app.kubernetes.io/name": "jaeger-otlp" },
  serviceAccount: "jaeger-otlp",
  ports: { "otlp-grpc": 4317, "otlp-http": 4318, ui: 16686, health: 13133 },
  proxy,
  probes: [{ path: "/status", port: 13133 }],
  defaultPolicy: "deny",
};

test("some release of the catalog has the standalone Jaeger", () => expect(releases.length).toBeGreaterThan(0));

test.each(releases.map((release) => [release.version, release] as const))("%s, default policy deny", (version, release) => {
  const linkerd = { version, defaultInboundPolicy: "deny", jaeger: { enabled: true } };
  const objects = generatedObjects(modelOf(environmentOf({ linkerd })).components).filter(
    ({ metadata }) => metadata.namespace === jaeger.namespace,
  );
  const reaches = (from: object, port: number): string => {
    return agreed({ from, to: jaeger, port, get: "/" } as unknown as Attempt, objects, release);
  };
  expect([4317, 4318, 16686].map((port) => reaches(client("shop", "web"), port))).toEqual(["reached", "reached", "mesh"]);
  expect([4317, 16686].map((port) => reaches(client("linkerd-viz", "web"), port))).toEqual(["reached", "reached"]);
  expect([4317, 16686].map((port) => reaches(client("shop", "web", false), port))).toEqual(["mesh", "mesh"]);
});

test("with other default policies, meshops generates no Servers for Jaeger", () => {
  for (const defaultInboundPolicy of ["all-unauthenticated", "cluster-authenticated", "all-authenticated"]) {
    const linkerd = { defaultInboundPolicy, jaeger: { enabled: true } };
    const servers = generatedObjects(modelOf(environmentOf({ linkerd })).components).filter(
      ({ kind, metadata }) => kind === "Server" && metadata.name.startsWith("jaeger-otlp"),
    );
    expect(servers).toEqual([]);
  }
});
