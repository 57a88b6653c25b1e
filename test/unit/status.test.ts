import { describe, expect, test } from "vitest";
import { assess, isSettled, type StatusNode } from "../../generator/cluster/assess.ts";
import { causeOf } from "../../generator/cluster/cause.ts";
import type { ClusterObject } from "../../generator/cluster/objects.ts";
import type { Snapshot } from "../../generator/cluster/snapshot.ts";
import { workloadState } from "../../generator/cluster/workload.ts";
import { buildModel } from "../../generator/components/build.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";

const subject = { environment: "dev", component: "dgraph", kind: "StatefulSet", namespace: "dgraph", name: "alpha" } as const;

/** A StatefulSet of one meshed pod that is ready, changed as a test says. */
function world(
  pod: Record<string, unknown> = {},
  workload: Record<string, unknown> = {},
  rest: Partial<Snapshot> = {},
): Parameters<typeof workloadState> {
  const set: ClusterObject = {
    kind: "StatefulSet",
    metadata: { name: "alpha", namespace: "dgraph" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "alpha" } },
      template: { metadata: { annotations: { "linkerd.io/inject": "enabled" } } },
    },
    status: { readyReplicas: 1, currentRevision: "a", updateRevision: "a" },
    ...workload,
  };
  const one: ClusterObject = {
    kind: "Pod",
    metadata: { name: "alpha-0", namespace: "dgraph", labels: { app: "alpha" } },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running" },
    ...pod,
  };
  const nothing = {
    sources: [],
    kustomizations: [],
    releases: [],
    workloads: [],
    claims: [],
    events: [],
    namespaces: [],
    trustRoots: null,
  };
  return [set, { ...nothing, pods: [one], ...rest }, subject];
}

const notReady = { status: { readyReplicas: 0, currentRevision: "a", updateRevision: "a" } };
const waiting = (reason: string): Record<string, unknown> => ({
  status: {
    phase: "Pending",
    containerStatuses: [{ name: "alpha", image: "r.example/alpha:1", state: { waiting: { reason } } }],
  },
});

test("a workload that is ready and meshed has nothing to tell", () => {
  expect(workloadState(...world())).toEqual({ ready: true, replicas: 1, readyReplicas: 1, meshed: 1, cause: null });
});

test("a proxy may be an init container that stays", () => {
  const spec = { containers: [{ name: "alpha" }], initContainers: [{ name: "linkerd-proxy", restartPolicy: "Always" }] };
  expect(workloadState(...world({ spec }))).toMatchObject({ ready: true, meshed: 1 });
});

test("what is not to be meshed needs no proxy", () => {
  const [set] = world();
  const spec = { ...(set["spec"] as object), template: { metadata: { annotations: { "linkerd.io/inject": "disabled" } } } };
  expect(workloadState(...world({ spec: { containers: [{ name: "alpha" }] } }, { spec }))).toMatchObject({
    ready: true,
    meshed: null,
  });
});

test.each([
  ["image-pull", world(waiting("ImagePullBackOff"), notReady), "pod alpha-0 cannot pull r.example/alpha:1 (ImagePullBackOff)"],
  ["pod-crashing", world(waiting("CrashLoopBackOff"), notReady), "container alpha of pod alpha-0 ends again and again"],
  [
    "pod-unschedulable",
    world(
      {
        status: {
          conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient memory." }],
        },
      },
      notReady,
    ),
    "no node takes pod alpha-0: 0/3 nodes are available: 3 Insufficient memory.",
  ],
  [
    "volume",
    world({ status: { phase: "Pending" } }, notReady, {
      claims: [
        {
          kind: "PersistentVolumeClaim",
          metadata: { name: "datadir-alpha-0", namespace: "dgraph" },
          status: { phase: "Pending" },
        },
      ],
    }),
    "pod alpha-0 waits for its volume datadir-alpha-0",
  ],
  [
    "not-meshed",
    world({ spec: { containers: [{ name: "alpha" }] } }),
    "pod alpha-0 runs without a proxy: the injector was not asked, or did not answer",
  ],
  [
    "stale-trust-anchors",
    world(
      {
        spec: { containers: [{ name: "linkerd-proxy", env: [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value: "old" }] }] },
      },
      {},
      {
        trustRoots: { kind: "ConfigMap", metadata: { name: "linkerd-identity-trust-roots" }, data: { "ca-bundle.crt": "new\n" } },
      },
    ),
    "a proxy believes other trust anchors than the control plane",
  ],
  ["progressing", world({}, notReady, { pods: [] }), "0 of 1 pods are there"],
] as const)("%s", (code, parts, text) => {
  expect(workloadState(...parts)).toMatchObject({ ready: false, cause: { code, cause: text } });
});

/* Messages as controllers write them; those that the cluster tests bring about are not repeated here. */
test.each([
  ["source", "GitRepository", 'failed to checkout and determine revision: couldn\'t find remote ref "refs/heads/main"'],
  ["source", "GitRepository", "failed to get secret 'flux-system/flux-system': secrets \"flux-system\" not found"],
  ["source", "Kustomization", "Source artifact not found, retrying in 30s"],
  ["dependency", "Kustomization", "dependency 'flux-system/linkerd-viz' revision is not up to date"],
  [
    "dependency",
    "Kustomization",
    "dependency 'flux-system/dgraph' not found: Kustomization.kustomize.toolkit.fluxcd.io \"dgraph\" not found",
  ],
  ["progressing", "Kustomization", "New reconciliation triggered by GitRepository/flux-system/flux-system"],
  [
    "progressing",
    "HelmRelease",
    "HelmChart 'flux-system/dgraph-dgraph' is not ready: latest generation of object has not been reconciled",
  ],
  [
    "crd-missing",
    "Kustomization",
    'Server/dgraph/alpha dry-run failed: no matches for kind "Server" in version "policy.linkerd.io/v1beta3"',
  ],
  [
    "immutable-field",
    "HelmRelease",
    'cannot patch "demo-dgraph-alpha" with kind StatefulSet: StatefulSet.apps "demo-dgraph-alpha" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
  ],
  [
    "values-missing",
    "HelmRelease",
    "could not resolve ConfigMap chart values reference 'dgraph/dgraph-values-abc' with key 'values.yaml'",
  ],
  ["values-missing", "HelmRelease", "could not resolve Secret chart values reference 'dgraph/v': secrets \"v\" not found"],
  [
    "chart-missing",
    "HelmRelease",
    "HelmChart 'flux-system/dgraph-dgraph' is not ready: invalid chart reference: no 'dgraph' chart with version matching '24.9.9' found",
  ],
  [
    "chart-missing",
    "HelmRepository",
    'failed to fetch Helm repository index: Get "https://charts.dgraph.io/index.yaml": no such host',
  ],
  ["file-changed", "Kustomization", "error decrypting sources: failed to verify sops data integrity: expected mac 'A', got 'B'"],
  ["webhook-denied", "HelmRelease", 'admission webhook "linkerd-policy-validator.linkerd.io" denied the request: invalid port'],
  ["helm-locked", "HelmRelease", "another operation (install/upgrade/rollback) is in progress"],
  [
    "foreign",
    "HelmRelease",
    'ServiceAccount "dgraph" in namespace "dgraph" exists and cannot be imported into the current release: invalid ownership metadata',
  ],
  ["namespace-missing", "Kustomization", 'ConfigMap/dgraph/a dry-run failed: namespaces "dgraph" not found'],
  [
    "refused",
    "StatefulSet",
    'pods "alpha-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
  ],
  [
    "build-failed",
    "Kustomization",
    "kustomization path not found: stat /tmp/kustomization-1/overlays/dev/dgraph: no such file or directory",
  ],
] as const)("%s of a %s: %s", (code, kind, message) => {
  expect(causeOf(message, { ...subject, kind })).toMatchObject({ code });
});

test("the Service behind a webhook is named, whatever the reason holds", () => {
  const post =
    'failed calling webhook "tap-injector.linkerd.io": failed to call webhook: Post "https://tap-injector.linkerd-viz.svc:443/?timeout=10s"';
  const found = causeOf(`${post}: dial tcp 10.0.12.3:443: connect: connection refused\nServiceProfile/a created`, subject);
  expect(found?.cause).toMatch(
    /tap-injector\.linkerd\.io, and gets no good answer: dial tcp 10\.0\.12\.3:443: connect: connection refused$/,
  );
  expect(found?.remedy).toContain("--namespace linkerd-viz: the pods behind tap-injector");
});

describe("an environment", () => {
  const environment = environmentOf();
  const model = buildModel({ environment, identity: sampleIdentity() });
  const fluxObject = (kind: string, name: string, conditions: object[], more: object = {}): ClusterObject => ({
    kind,
    metadata: { name, namespace: "flux-system", generation: 1 },
    status: {
      observedGeneration: 1,
      conditions,
      lastAppliedRevision: "main@sha1:bbbbbbbb",
      artifact: { revision: "main@sha1:bbbbbbbb" },
      ...more,
    },
  });
  const isTrue = [{ type: "Ready", status: "True", reason: "ReconciliationSucceeded", message: "Applied revision" }];
  const snapshot = (change: (object: ClusterObject) => ClusterObject | null = (object) => object): Snapshot => {
    const keep = (objects: ClusterObject[]): ClusterObject[] => objects.flatMap((object) => change(object) ?? []);
    const repositories = ["linkerd", "dgraph"].map((name) => fluxObject("HelmRepository", name, isTrue));
    const releases = model.components.filter(({ release }) => release !== null);
    return {
      sources: keep([fluxObject("GitRepository", "flux-system", isTrue), ...repositories]),
      kustomizations: keep(
        ["flux-system", ...model.components.map(({ name }) => name)].map((name) => fluxObject("Kustomization", name, isTrue)),
      ),
      releases: keep(
        releases.map(({ name, namespace }) => ({
          ...fluxObject("HelmRelease", name, isTrue),
          metadata: { name, namespace, generation: 1 },
        })),
      ),
      workloads: [],
      pods: [],
      claims: [],
      events: [],
      namespaces: [],
      trustRoots: null,
    };
  };
  /** The state of the only node that is not ready. */
  const onlyUnready = (change: (object: ClusterObject) => ClusterObject | null): StatusNode[] =>
    assess(model, snapshot(change))
      .flatMap((node) => [node, ...node.children])
      .filter(({ state, cause }) => state !== "ready" && cause?.code !== "health");
  const dgraph =
    (kind: string, made: (object: ClusterObject) => ClusterObject | null) =>
    (object: ClusterObject): ClusterObject | null =>
      object.kind === kind && object.metadata.name === "dgraph" ? made(object) : object;
  const release = (...conditions: object[]): ((object: ClusterObject) => ClusterObject | null) =>
    dgraph("HelmRelease", (object) => ({ ...object, status: { observedGeneration: 1, conditions } }));

  test("that is ready is settled", () => {
    expect(isSettled(assess(model, snapshot()))).toBe(true);
  });

  test("is not ready while a Kustomization is at an older commit than Flux has", () => {
    const [node] = onlyUnready(
      dgraph("Kustomization", () => fluxObject("Kustomization", "dgraph", isTrue, { lastAppliedRevision: "main@sha1:aaaaaaaa" })),
    );
    expect(node).toMatchObject({
      name: "dgraph",
      state: "progressing",
      cause: { cause: "it is at main aaaaaaa, and Flux has main bbbbbbb" },
    });
  });

  test("tells the error of a release while it is tried again, and after it was rolled back", () => {
    const released = { type: "Released", status: "False", message: 'admission webhook "a.b" denied the request: no' };
    for (const ready of [
      { type: "Ready", status: "Unknown", message: "Running 'upgrade' action with timeout of 15m0s" },
      {
        type: "Ready",
        status: "False",
        message: "Helm rollback to previous release dgraph/demo.v1 with chart dgraph@24.1.4 succeeded",
      },
    ])
      expect(onlyUnready(release(ready, released))).toMatchObject([
        { kind: "HelmRelease", state: "failed", cause: { code: "webhook-denied" } },
      ]);
  });

  test("that is being deleted, or lacks a chart repository, is not ready", () => {
    const deleted = dgraph("Kustomization", (object) => ({
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: "2026-11-25T00:00:00Z" },
    }));
    expect(onlyUnready(deleted)).toMatchObject([{ state: "progressing", cause: { code: "deleted" } }]);
    expect(onlyUnready(dgraph("HelmRepository", () => null))).toMatchObject([{ kind: "HelmRepository", state: "missing" }]);
  });
});

test("a StatefulSet without pods tells what refuses them, from its events", () => {
  const refusal =
    'create Pod alpha-0 failed error: failed calling webhook "linkerd-proxy-injector.linkerd.io": failed to call webhook: Post "https://linkerd-proxy-injector.linkerd.svc:443/?timeout=10s": EOF';
  const event = {
    kind: "Event",
    metadata: { name: "e", namespace: "dgraph" },
    reason: "FailedCreate",
    involvedObject: { uid: "u" },
    message: refusal,
  };
  const [set, snapshot] = world(
    {},
    { ...notReady, metadata: { name: "alpha", namespace: "dgraph", uid: "u" } },
    { pods: [], events: [event] },
  );
  expect(workloadState(set, snapshot, subject)).toMatchObject({ ready: false, cause: { code: "webhook" } });
});

test("a pod that waits for a node is not told as one that waits for its volume", () => {
  const claims = [
    { kind: "PersistentVolumeClaim", metadata: { name: "datadir-alpha-0", namespace: "dgraph" }, status: { phase: "Pending" } },
  ];
  const status = {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient cpu." }],
  };
  expect(workloadState(...world({ status }, notReady, { claims }))).toMatchObject({ cause: { code: "pod-unschedulable" } });
});

test("evicted and ending pods count for nothing", () => {
  expect(workloadState(...world({ status: { phase: "Failed" }, spec: { containers: [] } }))).toMatchObject({
    ready: true,
    meshed: 0,
  });
});

test("a message that nobody has seen is not guessed at", () => {
  expect(causeOf("something else", subject)).toBeNull();
});
