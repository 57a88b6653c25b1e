import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { type Attempt, judge, type Peer, type Verdict } from "../support/policy-evaluator.ts";
import { evaluated, narrowed, policyObject as object } from "../support/policy-worlds.ts";

/*
 * Compares the policy evaluator of meshops with the independent policy evaluator of the tests, which was written from
 * the specifications. For random policy sets, both evaluators must return the same verdict. For the policies in
 * reference/policy/observed.md, both evaluators must return the verdict that was observed with the real policy
 * controller, proxies and kernel (edge-26.8.3).
 */

const meshed = { "linkerd.io/control-plane-ns": "linkerd" };
const addresses = ["10.1.2.3", "10.224.0.4", "192.0.2.7"] as const;
const ports = { http: 8080, grpc: 9090, "linkerd-admin": 4191 } as const;
const paths = ["/health", "/read", "/read/more", "/other", "/ready"] as const;
const modes = ["deny", "audit", "all-unauthenticated", "all-authenticated", "cluster-unauthenticated", "cluster-authenticated"];

const subset = <T>(...of: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...of]);
const selector = fc.constantFrom(
  {},
  { matchLabels: { app: "x" } },
  { matchLabels: { app: "x", tier: "y" } },
  { matchLabels: { app: "z" } },
);
const portOrName = fc.constantFrom<number | string>(8080, 9090, 4191, 7070, "http", "grpc", "linkerd-admin", "absent");

const networkPolicy = fc
  .record({
    podSelector: selector,
    ingress: fc.array(
      fc.record(
        {
          from: fc.array(
            fc.oneof(
              fc.record({ podSelector: fc.constantFrom({}, { matchLabels: meshed }) }),
              fc.record({
                namespaceSelector: fc.constantFrom({}, { matchLabels: { "kubernetes.io/metadata.name": "b" } }),
                podSelector: fc.constantFrom({}, { matchLabels: meshed }),
              }),
              fc.constantFrom("10.0.0.0/8", "192.0.2.0/24").map((cidr) => ({ ipBlock: { cidr, except: ["10.224.0.0/16"] } })),
            ),
            { maxLength: 2 },
          ),
          ports: subset(8080, 9090, 4143, 4191, 4190).map((all) => all.map((port) => ({ port, protocol: "TCP" }))),
        },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
  })
  .map((spec) => ["NetworkPolicy", { policyTypes: ["Ingress"], ...spec }] as const);

const server = fc
  .record(
    {
      podSelector: selector,
      port: portOrName,
      proxyProtocol: fc.constantFrom("unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"),
      accessPolicy: fc.constantFrom(...modes),
    },
    { requiredKeys: ["podSelector", "port", "proxyProtocol"] },
  )
  .map((spec) => ["Server", spec] as const);

/**
 * Number in the name of an object. The name of an object is `<kind>-<number>`. A policy set contains only some of these
 * names, so some references refer to objects that do not exist.
 */
const number = fc.integer({ min: 0, max: 5 });
const reference = fc.oneof(
  number.map((index) => ({ kind: "MeshTLSAuthentication", name: `MeshTLSAuthentication-${index}` })),
  number.map((index) => ({ kind: "NetworkAuthentication", name: `NetworkAuthentication-${index}` })),
  fc.constantFrom("web", "other").map((name) => ({ kind: "ServiceAccount", name, namespace: "b" })),
);
const authorization = fc
  .record({
    targetRef: fc.oneof(
      number.map((index) => ({ kind: "Server", name: `Server-${index}` })),
      number.map((index) => ({ kind: "HTTPRoute", name: `HTTPRoute-${index}` })),
      fc.constantFrom("a", "b").map((name) => ({ kind: "Namespace", name })),
    ),
    requiredAuthenticationRefs: fc.array(reference, { maxLength: 2 }),
  })
  .map((spec) => ["AuthorizationPolicy", spec] as const);

const authentication = fc.oneof(
  fc
    .oneof(
      fc.record({
        identityRefs: fc.array(
          fc.constantFrom(
            { kind: "ServiceAccount", name: "web", namespace: "b" },
            { kind: "ServiceAccount", name: "web" },
            { kind: "Namespace", name: "b" },
          ),
          { minLength: 1, maxLength: 2 },
        ),
      }),
      fc.constantFrom("*", "web.b.serviceaccount.identity.linkerd.cluster.local").map((each) => ({ identities: [each] })),
    )
    .map((spec) => ["MeshTLSAuthentication", spec] as const),
  fc
    .constantFrom("0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24")
    .map((cidr) => ["NetworkAuthentication", { networks: [{ cidr }] }] as const),
);

const route = fc
  .record({
    parentRefs: number.map((index) => [{ kind: "Server", name: `Server-${index}` }]),
    rules: fc.array(
      fc.record({
        matches: fc.array(
          fc.record({ path: fc.record({ type: fc.constantFrom("Exact", "PathPrefix"), value: fc.constantFrom("/", ...paths) }) }),
          { minLength: 1, maxLength: 2 },
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map((spec) => ["HTTPRoute", spec] as const);

/**
 * Random policy sets. The creation time of an object depends on its index, so that no two objects have the same age.
 */
const policies = fc
  .array(fc.oneof(server, server, authorization, authorization, authentication, networkPolicy, route), { maxLength: 10 })
  .map((all) =>
    all.map(([kind, spec], index) =>
      object(kind, `${kind}-${index % 6}-`.slice(0, -1), spec, `2026-01-0${(index % 9) + 1}T00:00:${index + 10}Z`),
    ),
  );

const target: fc.Arbitrary<Peer> = fc
  .record({
    opaque: subset(8080, 9090),
    skipInbound: subset(7070, 8080),
    labels: fc.constantFrom<Record<string, string>>({ app: "x" }, { app: "x", tier: "y" }),
    defaultPolicy: fc.option(fc.constantFrom(...modes), { nil: undefined }),
    proxy: fc.integer({ min: 0, max: 9 }).map((each) => each > 0),
    probes: subset({ port: 8080, path: "/health" }, { port: 9090, path: "/read?full" }),
  })
  .map(({ opaque, skipInbound, labels, defaultPolicy, proxy, probes }) => ({
    ...none,
    namespace: "a",
    serviceAccount: "server",
    labels: proxy ? { ...labels, ...meshed } : labels,
    proxy: proxy ? { opaque, skipInbound, skipOutbound: [] } : null,
    ports,
    probes: [...probes, { port: 4191, path: "/ready" }],
    ...(defaultPolicy === undefined ? {} : { defaultPolicy }),
  }));

const none: Peer = { namespace: "", serviceAccount: "", labels: {}, proxy: null, probes: [], kubelet: false };

const client: fc.Arbitrary<Peer> = fc
  .record({
    namespace: fc.constantFrom("a", "b", "c"),
    serviceAccount: fc.constantFrom("web", "other"),
    kind: fc.constantFrom("meshed", "bare", "forged", "kubelet"),
    address: fc.constantFrom(...addresses),
  })
  .map(({ namespace, serviceAccount, kind, address }) => ({
    ...none,
    namespace,
    serviceAccount,
    address,
    labels: kind === "bare" || kind === "kubelet" ? {} : meshed,
    proxy: kind === "meshed" ? { opaque: [], skipInbound: [], skipOutbound: [] } : null,
    kubelet: kind === "kubelet",
  }));

describe("two evaluators", () => {
  test("give the same verdict for random policy sets, and every verdict occurs", () => {
    const seen: Record<Verdict, number> = { network: 0, mesh: 0, reached: 0, counted: 0 };
    const attempt = fc.record({
      from: client,
      to: target,
      port: fc.constantFrom(8080, 8080, 9090, 4191, 4190, 4143, 7070),
      get: fc.option(fc.constantFrom(...paths), { nil: undefined }),
      objects: policies,
      release: fc.constantFrom(...linkerdReleases),
    });
    fc.assert(
      fc.property(attempt, ({ from, to, port, get, objects, release }) => {
        const asked: Attempt = { from, to, port, ...(get === undefined ? {} : { get }) };
        const cluster = { objects, transportHeader: release.traits.transportHeader };
        const expected = judge(asked, cluster);
        seen[expected] += 1;
        expect(evaluated(asked, cluster, release)).toBe(expected);
        // The index must find all policies that affect the verdict.
        expect(evaluated(asked, { ...cluster, objects: narrowed(objects, to) }, release)).toBe(expected);
      }),
      { numRuns: process.env["SLOW"] === "1" ? 100_000 : 4000, seed: 20261129 },
    );
    for (const [verdict, count] of Object.entries(seen)) expect(count, verdict).toBeGreaterThan(100);
  });
});

const release = linkerdRelease("edge-26.8.3");
const proxy = { opaque: [], skipInbound: [], skipOutbound: [] };
const server8080 = { podSelector: { matchLabels: { app: "x" } }, port: 8080, proxyProtocol: "HTTP/1" };
const pod: Peer = {
  ...none,
  namespace: "a",
  serviceAccount: "server",
  labels: { app: "x", ...meshed },
  proxy,
  ports,
  probes: [
    { port: 8080, path: "/health" },
    { port: 4191, path: "/ready" },
  ],
};
const callers = {
  listed: { ...none, namespace: "b", serviceAccount: "web", labels: meshed, proxy, address: "10.1.0.1" },
  stranger: { ...none, namespace: "b", serviceAccount: "other", labels: meshed, proxy, address: "10.1.0.2" },
  bare: { ...none, namespace: "b", address: "10.1.0.3" },
  forged: { ...none, namespace: "b", labels: meshed, address: "10.1.0.4" },
  kubelet: { ...none, kubelet: true, address: "10.224.0.4" },
} as const satisfies Record<string, Peer>;

const web = object("MeshTLSAuthentication", "web", { identityRefs: [{ kind: "ServiceAccount", name: "web", namespace: "b" }] });
const nodes = object("NetworkAuthentication", "nodes", { networks: [{ cidr: "10.224.0.0/16" }] });
const network = (open: readonly number[]): KubernetesObject =>
  object("NetworkPolicy", "pods", {
    podSelector: { matchLabels: { app: "x" } },
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "b" } },
            podSelector: { matchLabels: meshed },
          },
        ],
        ports: open.map((port) => ({ port })),
      },
    ],
  });
const grants = (kind: string, name: string, authentication: KubernetesObject): KubernetesObject =>
  object("AuthorizationPolicy", `${kind}-${name}`, {
    targetRef: { kind, name },
    requiredAuthenticationRefs: [{ kind: authentication.kind, name: authentication.metadata.name }],
  });
const http = object("Server", "http", server8080);
const grpc = object("Server", "grpc", { ...server8080, port: 9080, proxyProtocol: "gRPC" });
const two = [network([4143]), http, grpc, web, grants("Server", "http", web), grants("Server", "grpc", web)];
const routed = (name: string, path: string): KubernetesObject =>
  object("HTTPRoute", name, {
    parentRefs: [{ kind: "Server", name: "http" }],
    rules: [{ matches: [{ path: { type: "Exact", value: path } }] }],
  });
const everyone = object("MeshTLSAuthentication", "web", { identities: ["*"] });
const audit = object("Server", "http", { ...server8080, accessPolicy: "audit" });
const opaque = (accessPolicy: string): KubernetesObject =>
  object("Server", "http", { ...server8080, proxyProtocol: "opaque", accessPolicy });
const oneRoute = [http, routed("read", "/read"), web, grants("HTTPRoute", "read", web)];
const twoRoutes = [...oneRoute, routed("probes", "/health"), nodes, grants("HTTPRoute", "probes", nodes)];
const denying = { ...pod, defaultPolicy: "deny" };

/**
 * Rows of observed.md: number of the row, target, policies, caller, port, path of the request, and observed verdict.
 */
const observed: readonly (readonly [
  number,
  Peer,
  readonly KubernetesObject[],
  keyof typeof callers,
  number,
  string | undefined,
  Verdict,
])[] = [
  [1, pod, [], "bare", 8080, undefined, "reached"],
  [1, pod, [], "stranger", 9080, undefined, "reached"],
  [1, pod, [], "listed", 7070, undefined, "reached"],
  ...([8080, 9080, 7080, 5080, 4143] as const).map((port) => [2, pod, two, "bare", port, undefined, "network"] as const),
  [3, pod, two, "forged", 8080, undefined, "network"],
  [3, pod, two, "forged", 9080, undefined, "network"],
  [4, pod, two, "forged", 4143, undefined, "mesh"],
  [5, pod, two, "stranger", 8080, "/state", "mesh"],
  [6, pod, two, "stranger", 9080, undefined, "mesh"],
  [7, pod, two, "stranger", 8080, "/health", "reached"],
  [8, pod, two, "listed", 8080, "/health", "reached"],
  [8, pod, two, "listed", 8080, "/state", "reached"],
  [8, pod, two, "listed", 9080, undefined, "reached"],
  [9, pod, two.filter((each) => each !== grpc), "stranger", 9080, undefined, "reached"],
  [10, pod, two.map((each) => (each === web ? everyone : each)), "stranger", 9080, undefined, "reached"],
  [11, pod, [network([8080, 9080]), ...two.slice(1)], "listed", 8080, undefined, "network"],
  [11, pod, [network([8080, 9080]), ...two.slice(1)], "listed", 9080, undefined, "network"],
  [12, pod, [audit, web, grants("Server", "http", web)], "listed", 8080, "/state", "reached"],
  [12, pod, [audit, web, grants("Server", "http", web)], "stranger", 8080, "/state", "counted"],
  [12, pod, [audit, web, grants("Server", "http", web)], "bare", 8080, "/state", "counted"],
  [13, pod, [http, web, grants("Server", "http", web)], "stranger", 8080, "/state", "mesh"],
  [13, pod, [http, web, grants("Server", "http", web)], "bare", 8080, "/state", "mesh"],
  [14, pod, [http, web, grants("Server", "http", web)], "bare", 8080, "/health", "reached"],
  [14, pod, [http, web, grants("Server", "http", web)], "stranger", 8080, "/health", "reached"],
  [15, pod, [opaque("deny")], "kubelet", 8080, "/health", "mesh"],
  [16, pod, [opaque("audit")], "stranger", 8080, undefined, "counted"],
  [16, pod, [opaque("audit")], "bare", 8080, undefined, "counted"],
  [18, pod, oneRoute, "listed", 8080, "/other", "mesh"],
  [18, pod, oneRoute, "stranger", 8080, "/other", "mesh"],
  [19, pod, oneRoute, "kubelet", 8080, "/health", "mesh"],
  [20, pod, twoRoutes, "kubelet", 8080, "/health", "reached"],
  [21, pod, twoRoutes, "listed", 8080, "/read", "reached"],
  [21, pod, twoRoutes, "stranger", 8080, "/read", "mesh"],
  [21, pod, twoRoutes, "bare", 8080, "/read", "mesh"],
  [22, pod, twoRoutes, "listed", 8080, "/health", "mesh"],
  [26, denying, [], "bare", 4191, "/ready", "reached"],
  [27, denying, [], "bare", 4191, "/metrics", "mesh"],
  [27, denying, [], "bare", 4191, "/env.json", "mesh"],
];

describe("both evaluators predict the answers of the real mesh", () => {
  test.each(observed)("row %i", (_, to, objects, caller, port, get, answer) => {
    const asked: Attempt = { from: callers[caller], to, port, ...(get === undefined ? {} : { get }) };
    const cluster = { objects, transportHeader: true };
    expect(judge(asked, cluster)).toBe(answer);
    expect(evaluated(asked, cluster, release)).toBe(answer);
  });
});
