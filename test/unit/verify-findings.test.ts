import { createHash } from "node:crypto";
import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { Cluster } from "../../generator/cluster/connection.ts";
import { allowedResult, forgedResult, unlistedResult } from "../../generator/cluster/verify/access.ts";
import { withoutPolicy } from "../../generator/cluster/verify/baseline.ts";
import type { Scene } from "../../generator/cluster/verify/explain.ts";
import type { Probe } from "../../generator/cluster/verify/probe.ts";
import type { ProbeRun } from "../../generator/cluster/verify/run-probe.ts";
import { checksOf, targetOf } from "../../generator/cluster/verify/tests.ts";
import { resultLine } from "../../generator/commands/verify/render-tests.ts";
import { buildModel } from "../../generator/components/build.ts";
import type { AccessTarget, CallResult, Check, ClusterState } from "../../generator/components/check.ts";
import type { CheckResult } from "../../generator/components/check-result.ts";
import { type Issued, makeIssuer, makeTrustAnchor } from "../../generator/identity/authority.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { removalRank } from "../../generator/mesh/policy-order.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";

const environment = environmentOf();
const noColors = picocolors.createColors(false);
const names = environment.spec.linkerd.identity;
const madeAt = new Date("2026-11-01T00:00:00Z");
const now = new Date("2026-11-28T12:00:00Z");
const anchor = makeTrustAnchor(names, madeAt);
const next = makeTrustAnchor(names, new Date("2026-11-02T00:00:00Z"));
const both = `${anchor.certificate}${next.certificate}`;

const model = buildModel({ environment, identity: sampleIdentity() });
const target = targetOf(model) as AccessTarget;

/** Runs the check with the given ID and returns its finding. */
function find(id: string, state: ClusterState, at: Date = now, results = new Map<string, CallResult>()): CheckResult {
  const check = checksOf(model).find((each) => each.id === id) as Check;
  return check.evaluate(state, { now: at, token: null }, { results, trouble: null, notes: [] });
}

function alpha(index: number, annotations: Record<string, string> = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `demo-dgraph-alpha-${index}`,
      namespace: "dgraph",
      labels: { app: "dgraph", release: environment.spec.dgraph.release, component: "alpha" },
      annotations,
    },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running" },
  };
}

function meshed(name: string, anchors: string): KubernetesObject {
  const env = [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: anchors }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "team" },
    spec: { containers: [{ name: "linkerd-proxy", env }] },
  };
}

/**
 * Returns the state of a cluster.
 *
 * @param bundle trust anchors in the cluster
 * @param issuer issuer in the cluster; null if the Secret of the issuer does not exist
 * @param rest fields that replace fields of the state
 */
function clusterState(bundle: string, issuer: Issued | null, rest: Partial<ClusterState> = {}): ClusterState {
  const secret: KubernetesObject | null =
    issuer === null
      ? null
      : {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "linkerd-identity-issuer" },
          data: { "tls.crt": Buffer.from(issuer.certificate).toString("base64") },
        };
  return {
    podSets: model.components.flatMap(({ pods }) => pods),
    installation: { release: linkerdRelease("edge-26.8.3") },
    policies: [],
    pods: [],
    meshed: [],
    namespaces: [],
    workloads: [],
    webhooks: [],
    apiServices: [],
    profiles: [],
    identity: {
      trustRoots: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "r" }, data: { "ca-bundle.crt": bundle } },
      committed: null,
      secrets: new Map([["linkerd/linkerd-identity-issuer", secret]]),
    },
    ...rest,
  } as unknown as ClusterState;
}

describe("M2, during a trust anchor rotation", () => {
  test.each([
    ["before", anchor.certificate, anchor, []],
    [
      "after step 1",
      both,
      anchor,
      ["a trust anchor rotation is in progress: step 1 of 3 is done. The issuer is still signed by the old trust anchor"],
    ],
    [
      "after step 2",
      both,
      next,
      ["a trust anchor rotation is in progress: step 2 of 3 is done. The issuer is signed by the new trust anchor"],
    ],
    ["after step 3", next.certificate, next, []],
  ] as const)("%s: passes, and notes the current step of a rotation that is in progress", (_, bundle, signer, notes) => {
    const pods = [meshed("web", both)];
    expect(find("M2", clusterState(bundle, makeIssuer(names, signer, madeAt), { meshed: pods }))).toMatchObject({
      status: "passed",
      notes,
    });
  });

  test("lists pods without the new anchor, because the next step of the rotation must wait until these pods restart", () => {
    const pods = [meshed("web", both), meshed("late", anchor.certificate)];
    const found = find("M2", clusterState(both, makeIssuer(names, anchor, madeAt), { meshed: pods }));
    expect(found.status).toBe("passed");
    expect(found.notes[1]).toBe(
      "these pods do not trust all trust anchors in the trust bundle. Restart them before the next step of the rotation: team/late",
    );
  });

  test("fails if a proxy or the trust bundle does not contain the trust anchor that signed the issuer", () => {
    const pods = [meshed("web", both), meshed("late", anchor.certificate)];
    const broken = find("M2", clusterState(both, makeIssuer(names, next, madeAt), { meshed: pods }));
    expect(broken).toMatchObject({ status: "failed", seen: "1 proxy does not trust the issuer's trust anchor" });
    expect(broken.evidence).toContain("team/late");
    expect(find("M2", clusterState(anchor.certificate, makeIssuer(names, next, madeAt)))).toMatchObject({
      status: "failed",
      seen: "the trust bundle does not contain the issuer's trust anchor",
    });
  });

  test("adds a note if the user has no permission to list pods of other namespaces", () => {
    const found = find("M2", clusterState(anchor.certificate, makeIssuer(names, anchor, madeAt), { meshed: null }));
    expect(found.notes).toEqual([
      "you are not allowed to list the pods of all namespaces. meshops checked only the pods in the namespaces of this environment's components",
    ]);
  });
});

describe("M3", () => {
  test("passes with a note if the issuer has an unexpected subject, because Linkerd does not check the subject", () => {
    const issuer = makeIssuer({ ...names, trustDomain: "other.example" }, anchor, madeAt);
    expect(find("M3", clusterState(anchor.certificate, issuer), now)).toMatchObject({
      status: "passed",
      notes: [
        "the issuer's subject is CN=identity.linkerd.other.example, not CN=identity.linkerd.cluster.local. This has no effect, because Linkerd does not check the subject",
      ],
    });
  });

  test("reports how long ago the issuer expired, or in how many days it expires", () => {
    const issuer = makeIssuer({ ...names, issuerValidity: "60d" }, anchor, madeAt);
    const end = madeAt.getTime() + 60 * 86_400_000;
    const at = (milliseconds: number): unknown =>
      find("M3", clusterState(anchor.certificate, issuer), new Date(end + milliseconds)).seen;
    expect(at(16_000)).toBe("expired 16 seconds ago");
    expect(at(-29 * 86_400_000)).toBe("29 days left");
  });

  test("reports two causes if the issuer has expired and no trust anchor in the bundle has signed it", () => {
    const issuer = makeIssuer(names, next, madeAt);
    const found = find("M3", clusterState(anchor.certificate, issuer), new Date("2028-01-01T00:00:00Z"));
    expect(found.seen).toMatch(/^expired \d+ days ago, not signed by a trust anchor$/);
    expect(found.causes).toHaveLength(2);
  });
});

test("M1 fails if a pod of the control plane mounts a Secret that does not exist", () => {
  const workloads = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", namespace: "linkerd" },
      spec: { replicas: 1 },
      status: { replicas: 1, readyReplicas: 1, updatedReplicas: 1 },
    },
  ];
  const volumes = [{ secret: { secretName: "linkerd-identity-issuer" } }];
  const pods = [{ apiVersion: "v1", kind: "Pod", metadata: { name: "identity-1", namespace: "linkerd" }, spec: { volumes } }];
  expect(find("M1", clusterState(anchor.certificate, null, { workloads, pods }))).toMatchObject({
    status: "failed",
    seen: "1 Secret missing",
    evidence: ["pod identity-1 mounts Secret linkerd/linkerd-identity-issuer, which does not exist"],
  });
  const issuer = makeIssuer(names, anchor, madeAt);
  expect(find("M1", clusterState(anchor.certificate, issuer, { workloads, pods }))).toMatchObject({
    status: "passed",
    notes: [],
  });
  const state = clusterState(anchor.certificate, issuer, { workloads, pods });
  expect(find("M1", { ...state, identity: { ...state.identity, secrets: null } })).toMatchObject({
    status: "passed",
    notes: ["the Secrets that pods mount were not checked, because you are not allowed to read Secrets"],
  });
});

test("M1 fails while a rolling update has not replaced all pods, although all pods are ready", () => {
  const deployment = (updatedReplicas: number): KubernetesObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d", namespace: "linkerd" },
    spec: { replicas: 2 },
    status: { replicas: 2, readyReplicas: 2, updatedReplicas },
  });
  const issuer = makeIssuer(names, anchor, madeAt);
  const result = (updated: number): unknown =>
    find("M1", clusterState(anchor.certificate, issuer, { workloads: [deployment(updated)], pods: [] }));
  expect(result(1)).toMatchObject({ status: "failed", evidence: ["Deployment linkerd/d is not ready"] });
  expect(result(2)).toMatchObject({ status: "passed" });
});

test("M2 fails if the new anchor has signed the issuer and a pod of the control plane trusts only the old anchor", () => {
  const digest = createHash("sha256").update(anchor.certificate.trim()).digest("hex");
  const pod = (name: string, annotations: Record<string, string>): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "linkerd", annotations },
    spec: { containers: [{ name: "linkerd-proxy" }] },
  });
  const issuer = makeIssuer(names, next, madeAt);
  const old = pod("linkerd-identity-1", { "linkerd.io/trust-root-sha256": digest });
  expect(find("M2", clusterState(both, issuer, { meshed: [old] }))).toMatchObject({
    status: "failed",
    seen: "1 proxy does not trust the issuer's trust anchor",
    evidence: expect.arrayContaining(["linkerd/linkerd-identity-1"]),
  });
  const other = pod("linkerd-identity-2", { "linkerd.io/trust-root-sha256": "0".repeat(64) });
  expect(find("M2", clusterState(both, issuer, { meshed: [other] }))).toMatchObject({
    status: "passed",
    seen: "the trust bundle has 2 trust anchors; every proxy whose trust anchors meshops can read trusts the issuer's trust anchor",
  });
});

test("M5 reports pods without a proxy and pods whose proxy belongs to another release", () => {
  const bare = { ...alpha(1), spec: { containers: [{ name: "alpha" }] } };
  const found = find(
    "M5",
    clusterState(anchor.certificate, null, { pods: [alpha(0, { "linkerd.io/proxy-version": "edge-25.4.4" }), bare] }),
  );
  expect(found.seen).toBe("1 of 2 pods run without a proxy, 1 of 2 pods run a proxy of a release other than edge-26.8.3");
  expect(found.causes).toHaveLength(2);
});

describe("causes", () => {
  const selector = { podSelector: { matchLabels: { component: "alpha" } } };
  const server = (name: string, port: number): KubernetesObject => ({
    apiVersion: "policy.linkerd.io/v1beta3",
    kind: "Server",
    metadata: { name, namespace: "dgraph" },
    spec: { ...selector, port },
  });
  const authorization = (name: string, references: object[]): KubernetesObject => ({
    apiVersion: "policy.linkerd.io/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "dgraph" },
    spec: { targetRef: { kind: "Server", name }, requiredAuthenticationRefs: references },
  });
  const network: KubernetesObject = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "demo-dgraph-alpha", namespace: "dgraph" },
    spec: { ...selector, ingress: [] },
  };
  const probe = (meshedProbe: boolean): Probe => ({
    name: "verify-unlisted",
    namespace: "pydgraph-client",
    serviceAccount: "stranger",
    meshed: meshedProbe,
    calls: target.guarded,
    protoVariable: target.protoVariable,
  });
  const run = (meshedProbe: boolean, http: CallResult, grpc: CallResult): ProbeRun => ({
    probe: probe(meshedProbe),
    pod: meshedProbe ? meshed("verify-unlisted", anchor.certificate) : { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } },
    results: new Map([
      ["http", http],
      ["grpc", grpc],
    ]),
    trouble: null,
    notes: [],
  });
  const answered = {
    http: { name: "http", exit: 0, output: "HTTP/1.1 200 OK" },
    grpc: { name: "grpc", exit: 0, output: "{}" },
  };
  const denied = {
    http: { name: "http", exit: 0, output: "HTTP/1.1 403 Forbidden" },
    grpc: { name: "grpc", exit: 71, output: "Code: PermissionDenied" },
  };
  const issuer = makeIssuer(names, anchor, madeAt);
  const withPolicies = (...policies: KubernetesObject[]): Scene => ({
    state: clusterState(anchor.certificate, issuer, { pods: [alpha(0)], policies }),
    target,
  });

  test("if the policies have two gaps, verify reports both gaps, each with its objects", () => {
    const found = unlistedResult(
      run(true, answered.http, answered.grpc),
      withPolicies(network, server("alpha-http", 8080), authorization("alpha-http", [])),
    );
    expect(found.causes).toEqual([
      "no Server selects port 9080 of Alpha. The default inbound policy of the pods applies instead, and admits the client",
      "AuthorizationPolicy alpha-http allows all clients on port 8080 (Server alpha-http)",
    ]);
    expect(found.cause).toContain("; ");
  });

  test("if a Server is missing and the cluster does not enforce NetworkPolicies, verify reports both causes", () => {
    const found = forgedResult(run(false, answered.http, denied.grpc), withPolicies(network));
    expect(found.causes).toEqual([
      "the NetworkPolicies deny the call, but the cluster does not enforce NetworkPolicies: check that the cluster has a network policy engine (azure.cluster.networkPolicy)",
      "no Server selects port 8080 of Alpha. The default inbound policy of the pods applies instead, and admits the client",
    ]);
    const lines = resultLine({ id: "T2c", title: "t", expected: "e", durationMs: 1, ...found }, noColors).split("\n");
    for (const text of found.problems.flatMap(({ reason, fix }) => [reason ?? "", fix ?? ""]))
      expect(lines.join(" ").replaceAll(/\s+/g, " ")).toContain(text);
  });

  test("if an unlisted client can connect because a Server is in the mode audit, the cause contains this Server", () => {
    const audit = server("alpha-http", 8080);
    const found = unlistedResult(
      run(true, answered.http, denied.grpc),
      withPolicies(
        network,
        { ...audit, spec: { ...(audit["spec"] as object), accessPolicy: "audit" } },
        server("alpha-grpc", 9080),
      ),
    );
    expect(found.causes).toEqual(["Server alpha-http allows all clients on port 8080: its accessPolicy is audit"]);
  });

  test("if neither a NetworkPolicy nor a Server rejects an unmeshed client, verify reports both causes", () => {
    const open = { ...network, spec: { ...selector, ingress: [{}] } };
    const found = forgedResult(run(false, answered.http, denied.grpc), withPolicies(open));
    expect(found.causes).toEqual([
      "NetworkPolicy demo-dgraph-alpha allows pods without a proxy",
      "no Server selects port 8080 of Alpha. The default inbound policy of the pods applies instead, and admits the client",
    ]);
  });

  test("if a listed client is rejected on two ports, verify reports one cause per port", () => {
    const authentication: KubernetesObject = {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "MeshTLSAuthentication",
      metadata: { name: "alpha-grpc", namespace: "dgraph" },
      spec: { identityRefs: [{ kind: "ServiceAccount", name: "other", namespace: "elsewhere" }] },
    };
    const found = allowedResult(
      run(true, denied.http, denied.grpc),
      withPolicies(
        network,
        server("alpha-http", 8080),
        server("alpha-grpc", 9080),
        authorization("alpha-grpc", [{ kind: "MeshTLSAuthentication", name: "alpha-grpc" }]),
        authentication,
      ),
    );
    expect(found.causes).toEqual([
      "a Server denies connections to port 8080 of Alpha, and no AuthorizationPolicy allows these connections",
      "the AuthorizationPolicy of port 9080 lists other.elsewhere, but not stranger.pydgraph-client: check that dgraph.clients contains this client, and that component dgraph-policy is up to date",
    ]);
  });
});

describe("D5, whose calls a peak-EWMA balancer distributes to the Alphas", () => {
  const spread = (output: string, pods = [alpha(0), alpha(1), alpha(2)]): CheckResult => {
    const results = new Map([["spread", { name: "spread", exit: 0, output }]]);
    return find("D5", clusterState("", null, { pods }), now, results);
  };
  const counts = (first: readonly number[], all: readonly number[]): string =>
    [first, all]
      .flatMap((list, when) =>
        list.map((count, index) => (count === 0 ? "" : `${["first", "all"][when]} demo-dgraph-alpha-${index} ${count}`)),
      )
      .filter(Boolean)
      .join("\n");

  // Numbers of calls that the Alphas of a healthy mesh answered. By chance, one of three Alphas can receive none of the
  // first 60 quick calls: for example, the Alphas receive 38, 22 and 0 calls.
  test.each([
    ["even shares", [20, 20, 20], [20, 20, 20]],
    ["one Alpha without a call in the first second", [38, 22, 0], [60, 40, 5]],
    ["an Alpha that is avoided after a slow Alter", [1, 30, 29], [1, 30, 29]],
  ])("%s: passes", (_, first, all) => {
    expect(spread(counts(first, all))).toMatchObject({ status: "passed", seen: "each of 3 Alphas answered" });
  });

  test("fails if one of several Alphas receives all calls; the cause is an opaque or skipped port, or a pod without a proxy", () => {
    expect(spread(counts([50, 0, 0], [300, 0, 0]))).toMatchObject({
      status: "failed",
      seen: "one Alpha receives all calls",
      cause:
        "port 9080 might be opaque on the Service or skipped by the client. In that case, proxies balance connections, not calls",
    });
    const opaque = { "config.linkerd.io/opaque-ports": "7080,9080" };
    expect(spread(counts([50, 0, 0], [300, 0, 0]), [alpha(0, opaque), alpha(1, opaque), alpha(2, opaque)]).cause).toBe(
      "port 9080 is opaque or skipped on Alpha's pods, so proxies balance connections, not calls",
    );
    const bare = { ...alpha(1), spec: { containers: [{ name: "alpha" }] } };
    expect(spread(counts([50, 0, 0], [300, 0, 0]), [alpha(0), bare, alpha(2)]).cause).toBe(
      "some pods of Alpha have no proxy: restart these pods: demo-dgraph-alpha-1",
    );
  });

  test("fails if one Alpha receives no calls and the other Alphas receive calls; the cause does not contain the word opaque", () => {
    expect(spread(counts([25, 25, 0], [300, 300, 0]))).toMatchObject({
      status: "failed",
      seen: "no call reached demo-dgraph-alpha-2 within 30 seconds",
      cause: expect.not.stringContaining("opaque"),
    });
  });

  test("fails if one of several Alphas receives all calls of the first second", () => {
    expect(spread(counts([50, 0, 0], [50, 20, 20]))).toMatchObject({ status: "failed" });
  });

  test("passes if every Alpha that is ready answers, or if the only Alpha answers all calls", () => {
    const down = { ...alpha(2), status: { conditions: [{ type: "Ready", status: "False" }] } };
    expect(spread(counts([25, 25, 0], [25, 25, 0]), [alpha(0), alpha(1), down])).toMatchObject({ status: "passed" });
    expect(spread(counts([50], [50]), [alpha(0)])).toMatchObject({ status: "passed" });
  });

  test("is undecided if the output contains no counters", () => {
    expect(spread("")).toMatchObject({ status: "undecided" });
  });
});

test("--baseline removes the objects that deny access before the objects that allow access, so that no listed client is rejected", async () => {
  const kinds = ["AuthorizationPolicy", "MeshTLSAuthentication", "NetworkPolicy", "Server"];
  const entries = kinds.map((kind) => ({ id: `dgraph_alpha_policy.linkerd.io_${kind}`, v: "v1" }));
  const removed: string[] = [];
  let during: string[] = [];
  const cluster = {
    get: async (_: string, kind: string) => ({ kind, metadata: { name: "x" }, status: { inventory: { entries } } }),
    merge: async () => {},
    remove: async (_: string, kind: string) => {
      removed.push(kind);
    },
  } as unknown as Cluster;
  await withoutPolicy(cluster, { name: "dgraph-policy", namespace: "flux-system" }, async () => {
    during = [...removed];
  });
  expect(during).toHaveLength(4);
  for (const denies of ["NetworkPolicy", "Server"])
    for (const allows of ["AuthorizationPolicy", "MeshTLSAuthentication"])
      expect(during.indexOf(denies)).toBeLessThan(during.indexOf(allows));
});

test("removalRank sorts objects that deny access before objects that allow access", () => {
  const kinds = ["AuthorizationPolicy", "MeshTLSAuthentication", "NetworkPolicy", "Server"];
  const order = [...kinds].sort((a, b) => removalRank(a) - removalRank(b));
  expect(order.slice(0, 2).sort()).toEqual(["NetworkPolicy", "Server"]);
});
