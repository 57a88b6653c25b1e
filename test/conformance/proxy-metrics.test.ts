import { expect, test } from "vitest";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { modelOf } from "../../generator/components/build.ts";
import { generatedObjects } from "../../generator/components/model.ts";
import type { Attempt, Verdict } from "../support/policy-evaluator.ts";
import { agreed } from "../support/policy-worlds.ts";
import { environmentOf } from "../support/specs.ts";

/*
 * Tests the policies that meshops generates for the admin port of proxies. These policies are needed if the default
 * inbound policy refuses requests without mTLS. The policies must allow requests for the metrics from Prometheus, and
 * probes of the kubelet. The policies must refuse requests for all other paths. Both policy evaluators must return
 * these results. Rows 26 and 27 of reference/policy/observed.md show that the default policy and the routes for probes
 * apply to the admin port of a real proxy.
 */
const answers: Readonly<Record<string, readonly [metrics: Verdict, probe: Verdict, environment: Verdict]>> = {
  "all-unauthenticated": ["reached", "reached", "reached"],
  "all-authenticated": ["reached", "reached", "mesh"],
  "cluster-authenticated": ["reached", "reached", "mesh"],
  deny: ["reached", "reached", "mesh"],
};

test.each(
  linkerdReleases.flatMap((release) =>
    Object.entries(answers).map(([policy, wanted]) => [release.version, policy, wanted, release] as const),
  ),
)("%s, default policy %s", (version, policy, wanted, release) => {
  const namespaces = { shop: { mesh: { inject: "enabled", defaultInboundPolicy: policy } } };
  const objects = generatedObjects(modelOf(environmentOf({ linkerd: { version }, namespaces })).components).filter(
    ({ metadata }) => metadata.namespace === "shop",
  );
  expect(objects.length).toBe(policy === "all-unauthenticated" ? 0 : 7);
  const pod = { namespace: "shop", labels: { app: "shop" }, serviceAccount: "shop", ports: { "linkerd-admin": 4191 } };
  const proxy = { skipInbound: [], skipOutbound: [], opaque: [] };
  const probes = ["/live", "/ready"].map((path) => ({ path, port: 4191 }));
  const to = { ...pod, proxy, probes, defaultPolicy: policy };
  const prometheus = {
    namespace: "linkerd-viz",
    labels: {},
    serviceAccount: "prometheus",
    proxy: null,
    probes: [],
    kubelet: false,
  };
  const found = ["/metrics", "/ready", "/env.json"].map((get) => {
    const attempt = { from: prometheus, to, port: 4191, get } as unknown as Attempt;
    return agreed(attempt, objects, release);
  });
  expect(found).toEqual(wanted);
});

test("if the spec lists only the networks of Prometheus, the generated policies allow these networks", () => {
  const spec = {
    linkerd: { defaultInboundPolicy: "deny", viz: { enabled: false } },
    monitoring: { prometheus: { cidrs: ["10.9.0.0/16"] } },
    namespaces: { shop: { mesh: { inject: "enabled" } } },
  };
  const model = modelOf(environmentOf(spec));
  const ids = model.components.map(({ id }) => id).filter((id) => id.startsWith("proxy-metrics/"));
  expect(ids).toEqual(["proxy-metrics/dgraph", "proxy-metrics/pydgraph-client", "proxy-metrics/shop"]);
  const networks = generatedObjects(model.components).filter(
    ({ kind, metadata }) => kind === "NetworkAuthentication" && metadata.namespace === "shop",
  );
  expect(networks.map(({ metadata, spec: own }) => [metadata.name, own])).toEqual([
    ["proxy-metrics", { networks: [{ cidr: "10.9.0.0/16" }] }],
    ["proxy-metrics-probes", { networks: [{ cidr: "0.0.0.0/0" }, { cidr: "::/0" }] }],
  ]);
});

test("meshops generates no policies if the spec contains no Prometheus, and no policies in namespaces that it does not create", () => {
  const idsFor = (spec: object): string[] =>
    modelOf(environmentOf(spec as Record<string, unknown>))
      .components.map(({ id }) => id)
      .filter((id) => id.startsWith("proxy-metrics/"));
  expect(idsFor({ linkerd: { defaultInboundPolicy: "deny", viz: { enabled: false } } })).toEqual([]);
  const namespaces = { shop: { create: false, mesh: { defaultInboundPolicy: "deny" } } };
  expect(idsFor({ namespaces })).toEqual([]);
});
