import { expect, test } from "vitest";
import { causeOf } from "../../generator/cluster/cause.ts";
import type { ClusterObject } from "../../generator/cluster/objects.ts";
import type { Snapshot } from "../../generator/cluster/snapshot.ts";
import { workloadState } from "../../generator/cluster/workload.ts";

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
  const nothing = { sources: [], kustomizations: [], releases: [], workloads: [], claims: [], namespaces: [], trustRoots: null };
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
  [
    "source",
    "failed to checkout and determine revision: unable to clone 'https://example.com/a': couldn't find remote ref \"refs/heads/main\"",
  ],
  ["source", "Source artifact not found, retrying in 30s"],
  ["crd-missing", 'Server/dgraph/alpha dry-run failed: no matches for kind "Server" in version "policy.linkerd.io/v1beta3"'],
  [
    "immutable-field",
    'cannot patch "demo-dgraph-alpha" with kind StatefulSet: StatefulSet.apps "demo-dgraph-alpha" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
  ],
  ["values-missing", "could not resolve ConfigMap chart values reference 'dgraph/dgraph-values-abc' with key 'values.yaml'"],
  [
    "chart-missing",
    "HelmChart 'flux-system/dgraph-dgraph' is not ready: invalid chart reference: failed to get chart version for remote reference: no 'dgraph' chart with version matching '24.9.9' found",
  ],
  ["build-failed", "kustomization path not found: stat /tmp/kustomization-1/overlays/dev/dgraph: no such file or directory"],
] as const)("%s: %s", (code, message) => {
  expect(causeOf(message, subject)).toMatchObject({ code });
});

test("a message that nobody has seen is not guessed at", () => {
  expect(causeOf("something else", subject)).toBeNull();
});
