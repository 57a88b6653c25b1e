import { createHash, X509Certificate } from "node:crypto";
import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import { placementOf } from "../../generator/bundle/emit/placement.ts";
import { assess } from "../../generator/cluster/status/assess.ts";
import { causeOf } from "../../generator/cluster/status/cause.ts";
import { allReady, type StatusNode } from "../../generator/cluster/status/node.ts";
import type { Snapshot } from "../../generator/cluster/status/snapshot.ts";
import { workloadState } from "../../generator/cluster/status/workload-state.ts";
import { renderIdentity } from "../../generator/commands/status/render-identity.ts";
import { buildModel } from "../../generator/components/build.ts";
import { releaseOf } from "../../generator/components/model.ts";
import { anchorGaps } from "../../generator/identity/anchors.ts";
import {
  type Issued,
  makeIssuer,
  makeServerCertificate,
  makeTrustAnchor,
  privateKeyPem,
} from "../../generator/identity/authority.ts";
import { clusterCertificates, type IdentityObjects, refusedKeys } from "../../generator/identity/cluster-certificates.ts";
import { fingerprint, parsePem } from "../../generator/identity/pem.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { duration, timeLeft } from "../../generator/system/text.ts";
import { emptySnapshot } from "../support/snapshot.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";

const subject = {
  environment: "dev",
  placement: placementOf(environmentOf()),
  component: "dgraph",
  kind: "StatefulSet",
  namespace: "dgraph",
  name: "alpha",
} as const;

/**
 * Returns the arguments of `workloadState` for a StatefulSet with one meshed pod. The StatefulSet and the pod are
 * ready.
 *
 * @param pod fields that replace fields of the pod
 * @param workload fields that replace fields of the StatefulSet
 * @param rest fields that replace fields of the snapshot
 */
function readyWorkload(
  pod: Record<string, unknown> = {},
  workload: Record<string, unknown> = {},
  rest: Partial<Snapshot> = {},
): Parameters<typeof workloadState> {
  const set: KubernetesObject = {
    apiVersion: "apps/v1",
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
  const one: KubernetesObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "alpha-0", namespace: "dgraph", labels: { app: "alpha" } },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running" },
    ...pod,
  };
  return [set, { ...emptySnapshot, pods: [one], ...rest }, subject];
}

const names = environmentOf().spec.linkerd.identity;
const madeAt = new Date("2026-11-01T00:00:00Z");
const anchor = makeTrustAnchor(names, madeAt);
const oldAnchor = makeTrustAnchor(names, madeAt);
const issuer = makeIssuer(names, anchor, madeAt);

function proxyTrusting(value: string): object {
  return { name: "linkerd-proxy", env: [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value }] };
}

/**
 * Returns the objects of an identity in a cluster: the ConfigMap with the trust bundle, and the Secret of the issuer.
 *
 * @param bundle trust anchors in the ConfigMap
 * @param others other Secrets, keyed by `<namespace>/<name>`; the value is null if the Secret does not exist
 */
function identityOf(
  bundle: string,
  { certificate }: Issued,
  others: Readonly<Record<string, KubernetesObject | null>> = {},
): IdentityObjects {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "linkerd-identity-issuer" },
    data: { "tls.crt": base64(certificate) },
  };
  return {
    trustRoots: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "linkerd-identity-trust-roots" },
      data: { "ca-bundle.crt": bundle },
    },
    committed: null,
    secrets: new Map(Object.entries({ "linkerd/linkerd-identity-issuer": secret, ...others })),
  };
}

const notReady = { status: { readyReplicas: 0, currentRevision: "a", updateRevision: "a" } };
const waiting = (reason: string): Record<string, unknown> => ({
  status: {
    phase: "Pending",
    containerStatuses: [{ name: "alpha", image: "r.example/alpha:1", state: { waiting: { reason } } }],
  },
});

test("a ready and meshed workload has no cause", () => {
  expect(workloadState(...readyWorkload())).toEqual({
    ready: true,
    replicas: 1,
    readyReplicas: 1,
    meshed: 1,
    cause: null,
    pods: [],
  });
});

test("a pod whose proxy is an init container with restartPolicy Always is meshed", () => {
  const spec = { containers: [{ name: "alpha" }], initContainers: [{ name: "linkerd-proxy", restartPolicy: "Always" }] };
  expect(workloadState(...readyWorkload({ spec }))).toMatchObject({ ready: true, meshed: 1 });
});

test("a workload that disables proxy injection is ready without a proxy", () => {
  const [set] = readyWorkload();
  const spec = { ...(set["spec"] as object), template: { metadata: { annotations: { "linkerd.io/inject": "disabled" } } } };
  expect(workloadState(...readyWorkload({ spec: { containers: [{ name: "alpha" }] } }, { spec }))).toMatchObject({
    ready: true,
    meshed: null,
  });
});

test.each([
  [
    "image-pull",
    readyWorkload(waiting("ImagePullBackOff"), notReady),
    "pod alpha-0 cannot pull r.example/alpha:1 (ImagePullBackOff)",
  ],
  ["pod-crashing", readyWorkload(waiting("CrashLoopBackOff"), notReady), "container alpha of pod alpha-0 is crash-looping"],
  [
    "pod-unschedulable",
    readyWorkload(
      {
        status: {
          conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient memory." }],
        },
      },
      notReady,
    ),
    "pod alpha-0 is unschedulable: 0/3 nodes are available: 3 Insufficient memory.",
  ],
  [
    "volume",
    readyWorkload({ status: { phase: "Pending" } }, notReady, {
      claims: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: "datadir-alpha-0", namespace: "dgraph" },
          status: { phase: "Pending" },
        },
      ],
    }),
    "pod alpha-0 waits for its PersistentVolumeClaim datadir-alpha-0",
  ],
  [
    "not-meshed",
    readyWorkload({ spec: { containers: [{ name: "alpha" }] } }),
    "pod alpha-0 runs without a proxy: the API server did not call the proxy injector, or the injector did not respond",
  ],
  [
    "stale-trust-anchors",
    readyWorkload(
      {
        spec: { containers: [proxyTrusting(oldAnchor.certificate)] },
      },
      {},
      { identity: identityOf(anchor.certificate, issuer) },
    ),
    "the proxy of pod dgraph/alpha-0 does not trust the issuer's trust anchor",
  ],
  ["progressing", readyWorkload({}, notReady, { pods: [] }), "0 of 1 pods exist"],
] as const)("status finds the cause %s of a workload", (code, parts, text) => {
  expect(workloadState(...parts)).toMatchObject({ ready: false, cause: { code, reason: text } });
});

/*
 * Messages in the formats of the controllers. The list leaves out messages that the tests on clusters already check.
 */
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
] as const)("status finds the cause %s in this message of a %s: %s", (code, kind, message) => {
  expect(causeOf(message, { ...subject, kind })).toMatchObject({ code });
});

test("for a webhook that the API server cannot call, the reason is the first line of the message, and the fix contains the Service", () => {
  const post =
    'failed calling webhook "tap-injector.linkerd.io": failed to call webhook: Post "https://tap-injector.linkerd-viz.svc:443/?timeout=10s"';
  const found = causeOf(`${post}: dial tcp 10.0.12.3:443: connect: connection refused\nServiceProfile/a created`, subject);
  expect(found?.reason).toMatch(
    /^the API server cannot call the webhook tap-injector\.linkerd\.io: dial tcp 10\.0\.12\.3:443: connect: connection refused$/,
  );
  expect(found?.fix).toBe(
    "check that the pods of Service tap-injector are ready and that the caBundle of the webhook matches the certificate of these pods: kubectl get pods,endpointslices --namespace linkerd-viz",
  );
});

describe("an environment", () => {
  const environment = environmentOf();
  const model = buildModel({ environment, identity: sampleIdentity() });
  const fluxObject = (kind: string, name: string, conditions: object[], more: object = {}): KubernetesObject => ({
    apiVersion: "toolkit.fluxcd.io/v1",
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
  const snapshot = (change: (object: KubernetesObject) => KubernetesObject | null = (object) => object): Snapshot => {
    const keep = (objects: KubernetesObject[]): KubernetesObject[] => objects.flatMap((object) => change(object) ?? []);
    const releases = model.components.filter((component) => releaseOf(component) !== null);
    const repositories = releases.map(({ id: name, namespace }) => ({
      ...fluxObject("HelmRepository", name, isTrue),
      metadata: { name, namespace, generation: 1 },
    }));
    return {
      ...emptySnapshot,
      sources: keep([fluxObject("GitRepository", "flux-system", isTrue), ...repositories]),
      kustomizations: keep(
        ["flux-system", ...model.components.map(({ id: name }) => name)].map((name) => fluxObject("Kustomization", name, isTrue)),
      ),
      releases: keep(
        releases.map(({ id: name, namespace }) => ({
          ...fluxObject("HelmRelease", name, isTrue),
          metadata: { name, namespace, generation: 1 },
        })),
      ),
    };
  };
  /**
   * Returns the nodes that are not ready. Leaves out a node if the only reason is that a child of the node is not
   * ready.
   */
  const onlyUnready = (change: (object: KubernetesObject) => KubernetesObject | null): StatusNode[] =>
    assess(model, snapshot(change))
      .flatMap((node) => [node, ...node.children])
      .filter(({ state, cause }) => state !== "ready" && cause?.code !== "health");
  const dgraph =
    (kind: string, made: (object: KubernetesObject) => KubernetesObject | null) =>
    (object: KubernetesObject): KubernetesObject | null =>
      object.kind === kind && object.metadata.name === "dgraph" ? made(object) : object;
  const release = (...conditions: object[]): ((object: KubernetesObject) => KubernetesObject | null) =>
    dgraph("HelmRelease", (object) => ({ ...object, status: { observedGeneration: 1, conditions } }));

  test("is settled if all its objects are ready", () => {
    expect(allReady(assess(model, snapshot()))).toBe(true);
  });

  test("is not ready while Flux has fetched a commit that a Kustomization has not applied", () => {
    const [node] = onlyUnready(
      dgraph("Kustomization", () => fluxObject("Kustomization", "dgraph", isTrue, { lastAppliedRevision: "main@sha1:aaaaaaaa" })),
    );
    expect(node).toMatchObject({
      name: "dgraph",
      state: "progressing",
      cause: { reason: "Flux has fetched revision main bbbbbbb, but the applied revision is still main aaaaaaa" },
    });
  });

  test("can be ready with an older revision of the root Kustomization, if this Kustomization reads another source", () => {
    const root = (source: object): StatusNode[] =>
      onlyUnready((object) =>
        object.kind === "Kustomization" && object.metadata.name === "flux-system"
          ? {
              ...fluxObject("Kustomization", "flux-system", isTrue, { lastAppliedRevision: "main@sha1:aaaaaaaa" }),
              spec: { sourceRef: source },
            }
          : object,
      );
    expect(root({ kind: "GitRepository", name: "infrastructure" })).toEqual([]);
    expect(root({ kind: "GitRepository", name: "flux-system", namespace: "other" })).toEqual([]);
    expect(root({ kind: "GitRepository", name: "flux-system" })).toMatchObject([{ name: "flux-system", state: "progressing" }]);
  });

  test("has a HelmRelease whose cause is the error of its upgrade, also during a retry and after a rollback", () => {
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

  test("has a cause that warns about policies that were never applied, but only if the namespace contains pods", () => {
    const failed = [{ type: "Ready", status: "False", reason: "BuildFailed", message: "kustomize build failed: no such file" }];
    const unapplied = fluxObject("Kustomization", "dgraph-policy", failed, { lastAppliedRevision: undefined });
    const found = snapshot((object) => (object.metadata.name === "dgraph-policy" ? unapplied : object));
    const reasonWith = (pods: readonly KubernetesObject[]): string | undefined =>
      assess(model, { ...found, pods }).find(({ name }) => name === "dgraph-policy")?.cause?.reason;
    const text = /; the policies of this component are not applied, so every pod .* namespace dgraph$/;
    const running = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "alpha-0", namespace: "dgraph" },
      status: { phase: "Running" },
    };
    expect(reasonWith([running])).toMatch(text);
    expect(reasonWith([])).not.toMatch(text);
    expect(reasonWith([{ ...running, metadata: { name: "other", namespace: "shop" } }])).not.toMatch(text);
  });

  test("is not ready if a Kustomization is being deleted, or if a HelmRepository is missing", () => {
    const deleted = dgraph("Kustomization", (object) => ({
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: "2026-11-25T00:00:00Z" },
    }));
    expect(onlyUnready(deleted)).toMatchObject([{ state: "progressing", cause: { code: "deleted" } }]);
    expect(onlyUnready(dgraph("HelmRepository", () => null))).toMatchObject([{ kind: "HelmRepository", state: "missing" }]);
  });
});

test("if a StatefulSet has no pods, the cause is from the event that reports why the API server rejects its pods", () => {
  const refusal =
    'create Pod alpha-0 failed error: failed calling webhook "linkerd-proxy-injector.linkerd.io": failed to call webhook: Post "https://linkerd-proxy-injector.linkerd.svc:443/?timeout=10s": EOF';
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e", namespace: "dgraph" },
    reason: "FailedCreate",
    involvedObject: { uid: "u" },
    message: refusal,
  };
  const [set, snapshot] = readyWorkload(
    {},
    { ...notReady, metadata: { name: "alpha", namespace: "dgraph", uid: "u" } },
    { pods: [], events: [event] },
  );
  expect(workloadState(set, snapshot, subject)).toMatchObject({ ready: false, cause: { code: "webhook" } });
});

test("if the scheduler finds no node for a pod, this is the cause, although the volume claim of the pod is also pending", () => {
  const claims = [
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "datadir-alpha-0", namespace: "dgraph" },
      status: { phase: "Pending" },
    },
  ];
  const status = {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient cpu." }],
  };
  expect(workloadState(...readyWorkload({ status }, notReady, { claims }))).toMatchObject({
    cause: { code: "pod-unschedulable" },
  });
});

test("a failed pod does not affect the state of a workload that is ready", () => {
  expect(workloadState(...readyWorkload({ status: { phase: "Failed" }, spec: { containers: [] } }))).toMatchObject({
    ready: true,
    meshed: 0,
  });
});

test("causeOf returns null for an unknown message", () => {
  expect(causeOf("something else", subject)).toBeNull();
});

describe("a pod that waits for its proxy", () => {
  const address = "linkerd-identity-headless.linkerd.svc.wrong.domain.:8080";
  const proxy = { name: "linkerd-proxy", env: [{ name: "LINKERD2_PROXY_IDENTITY_SVC_ADDR", value: address }] };
  const pod = {
    spec: { initContainers: [proxy], containers: [{ name: "alpha" }] },
    status: {
      phase: "Pending",
      initContainerStatuses: [{ name: "linkerd-proxy", image: "p", ready: false, started: false, state: { running: {} } }],
      containerStatuses: [{ name: "alpha", image: "a", ready: false, state: { waiting: { reason: "PodInitializing" } } }],
    },
  };

  test("has the cause that the issuer in the cluster has expired, with the time since then", () => {
    const takenAt = new Date(Date.parse(new X509Certificate(issuer.certificate).validTo) + 16_000);
    const found = workloadState(...readyWorkload(pod, notReady, { takenAt, identity: identityOf(anchor.certificate, issuer) }));
    expect(found.cause).toEqual({
      code: "issuer-expired",
      reason:
        "pod alpha-0 is not ready, because its proxy gets no certificate: the issuer certificate in the cluster expired 16 seconds ago",
      fix: "run meshops identity rotate-issuer dev and meshops generate dev, commit and push",
    });
  });

  test("has the cause that a name does not resolve, with the name from the log of its proxy", () => {
    // A log line in the format of linkerd2-proxy (linkerd/app/core/src/control.rs, August 2026). The error in this line
    // is from linkerd/dns/src/lib.rs.
    const log =
      "[ 0.1s] WARN ThreadId(02) identity:identity{server.addr=linkerd-identity-headless.linkerd.svc.wrong.domain.:8080}: linkerd_app_core::control: Failed to resolve control-plane component error=failed SRV and A record lookups: failed to resolve SRV record: no records found";
    const found = workloadState(
      ...readyWorkload(pod, notReady, {
        identity: identityOf(anchor.certificate, issuer),
        proxyLogs: new Map([["dgraph/alpha-0", log]]),
      }),
    );
    expect(found.cause).toMatchObject({
      code: "name-unresolved",
      reason:
        "pod alpha-0 is not ready, because its proxy cannot resolve the name linkerd-identity-headless.linkerd.svc.wrong.domain",
      fix: expect.stringContaining("set linkerd.clusterDomain to the DNS domain of the cluster"),
    });
  });

  test("has the cause progressing if the issuer has not expired and the log of its proxy contains no known error", () => {
    expect(workloadState(...readyWorkload(pod, notReady)).cause).toMatchObject({
      code: "progressing",
      reason: "pod alpha-0 is not ready, because its proxy has no certificate yet",
    });
  });
});

test("if a ready pod mounts a Secret that does not exist, status reports the missing Secret", () => {
  const volumes = [{ name: "tls", secret: { secretName: "linkerd-sp-validator-k8s-tls" } }];
  const spec = { volumes, containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] };
  const secrets = (value: KubernetesObject | null): Partial<Snapshot> => ({
    identity: identityOf(anchor.certificate, issuer, { "dgraph/linkerd-sp-validator-k8s-tls": value }),
  });
  expect(workloadState(...readyWorkload({ spec }, {}, secrets(null)))).toMatchObject({
    ready: false,
    cause: {
      code: "secret-missing",
      reason: "pod alpha-0 mounts Secret linkerd-sp-validator-k8s-tls, which does not exist in namespace dgraph",
    },
  });
  const there = { apiVersion: "v1", kind: "Secret", metadata: { name: "linkerd-sp-validator-k8s-tls" } };
  expect(workloadState(...readyWorkload({ spec }, {}, secrets(there)))).toMatchObject({ ready: true });
});

test("during a rollout of a StatefulSet, each pod that is not ready has its own cause", () => {
  const alpha = (index: number, status: object): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `alpha-${index}`, namespace: "dgraph", labels: { app: "alpha" } },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running", ...status },
  });
  const conditions = [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient cpu." }];
  const pods = [
    alpha(0, { conditions: [{ type: "Ready", status: "True" }] }),
    alpha(1, { phase: "Pending", conditions }),
    alpha(2, { containerStatuses: [{ name: "alpha", image: "a", state: { waiting: { reason: "CrashLoopBackOff" } } }] }),
    alpha(3, {}),
  ];
  const [set] = readyWorkload();
  const spec = { ...(set["spec"] as object), replicas: 4 };
  const state = workloadState(...readyWorkload({}, { ...notReady, spec }, { pods }));
  expect(state.cause?.code).toBe("pod-unschedulable");
  expect(state.pods.map(({ name, cause }) => `${name} ${cause.code}`)).toEqual([
    "alpha-1 pod-unschedulable",
    "alpha-2 pod-crashing",
    "alpha-3 progressing",
  ]);
});

test("an evicted pod is the cause if no new pod exists, or if the scheduler finds no node for the new pod for the same reason", () => {
  // The kubelet writes this status (kubernetes, pkg/kubelet/eviction/eviction_manager.go, evictPod).
  const status = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory. " };
  const [workload, snapshot] = readyWorkload(
    { status, spec: { nodeName: "node-1", containers: [{ name: "alpha" }] } },
    { status: {} },
  );
  const evicted = { code: "pod-evicted", reason: "pod alpha-0 was evicted: The node was low on resource: memory." };
  expect(workloadState(workload, snapshot, subject).cause).toMatchObject(evicted);
  const replacement = (message: string): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "alpha-1", namespace: "dgraph", labels: { app: "alpha" } },
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message }] },
  });
  const withReplacement = (message: string): Snapshot => ({ ...snapshot, pods: [...snapshot.pods, replacement(message)] });
  const pressure = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }.";
  expect(workloadState(workload, withReplacement(pressure), subject).cause).toMatchObject(evicted);
  expect(workloadState(workload, withReplacement("0/1 nodes are available: 1 Insufficient cpu."), subject).cause?.code).toBe(
    "pod-unschedulable",
  );
});

describe("if internalPorts changes to or from skip while policies are applied", () => {
  const peer = (name: string, annotations: Record<string, string>, ready: boolean): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dgraph", labels: { app: "alpha" }, annotations },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
  const skip = { "config.linkerd.io/skip-inbound-ports": "5080,7080", "config.linkerd.io/skip-outbound-ports": "5080,7080" };
  const server: KubernetesObject = {
    apiVersion: "policy.linkerd.io/v1beta3",
    kind: "Server",
    metadata: { name: "demo-dgraph-zero-internal", namespace: "dgraph" },
    spec: { podSelector: { matchLabels: { app: "alpha" } }, port: 5080, proxyProtocol: "opaque" },
  };
  const rolling = (servers: KubernetesObject[], otherPeer: Record<string, string> = {}): ReturnType<typeof workloadState> => {
    const pods = [peer("alpha-0", otherPeer, true), peer("alpha-1", skip, false)];
    const [set] = readyWorkload();
    return workloadState(
      ...readyWorkload({}, { ...notReady, spec: { ...(set["spec"] as object), replicas: 2 } }, { pods, policies: servers }),
    );
  };

  test("to skip: the cause contains the Server that rejects the restarted pod, and the fix contains the documented procedure", () => {
    expect(rolling([server]).cause).toEqual({
      code: "refused-by-server",
      reason:
        "Server demo-dgraph-zero-internal refuses connections from pod alpha-1. On port 5080, pod alpha-1 bypasses its own proxy, so its connections do not have the mesh identity that the Server requires",
      fix: "for Dgraph, set dgraph.networkPolicy: false, run meshops generate, and push; when Dgraph's pods are ready, set dgraph.networkPolicy: true, run meshops generate, and push (meshops help access, “Changing internalPorts from skip”)",
    });
  });

  test("the cause also contains a Server that specifies the port by name", () => {
    const named = { ...server, spec: { ...(server["spec"] as object), port: "grpc-int" } };
    const ports = [{ name: "grpc-int", containerPort: 5080 }];
    const pods = [peer("alpha-0", {}, true), peer("alpha-1", skip, false)].map((pod) => ({
      ...pod,
      spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha", ports }] },
    }));
    const [set] = readyWorkload();
    const { cause } = workloadState(
      ...readyWorkload({}, { ...notReady, spec: { ...(set["spec"] as object), replicas: 2 } }, { pods, policies: [named] }),
    );
    expect(cause).toMatchObject({
      code: "refused-by-server",
      reason: expect.stringContaining("On port 5080, pod alpha-1 bypasses its own proxy"),
    });
  });

  test("from skip: the cause contains the Server that rejects the pod that has not restarted", () => {
    const pods = [peer("alpha-0", skip, true), peer("alpha-1", {}, false)];
    const [set] = readyWorkload();
    const { cause } = workloadState(
      ...readyWorkload({}, { ...notReady, spec: { ...(set["spec"] as object), replicas: 2 } }, { pods, policies: [server] }),
    );
    expect(cause).toMatchObject({
      code: "refused-by-server",
      reason:
        "Server demo-dgraph-zero-internal refuses connections from pod alpha-0 to pod alpha-1. On port 5080, pod alpha-0 bypasses its own proxy, so its connections do not have the mesh identity that the Server requires",
    });
  });

  test("the cause contains no Server if no Server selects the port, the Server has the mode audit, or the other pod also bypasses its proxy", () => {
    expect(rolling([]).cause?.code).toBe("progressing");
    expect(rolling([{ ...server, spec: { ...(server["spec"] as object), accessPolicy: "audit" } }]).cause?.code).toBe(
      "progressing",
    );
    expect(rolling([server], skip).cause?.code).toBe("progressing");
  });

  test("the cause contains no Server if a NetworkAuthentication admits all networks", () => {
    const group = "policy.linkerd.io";
    const [name, namespace] = [server.metadata.name, "dgraph"];
    const policy = {
      apiVersion: `${group}/v1alpha1`,
      kind: "AuthorizationPolicy",
      metadata: { name, namespace },
      spec: {
        targetRef: { group, kind: "Server", name },
        requiredAuthenticationRefs: [{ group, kind: "NetworkAuthentication", name }],
      },
    };
    const everyone = {
      apiVersion: `${group}/v1alpha1`,
      kind: "NetworkAuthentication",
      metadata: { name, namespace },
      spec: { networks: [{ cidr: "0.0.0.0/0" }, { cidr: "::/0" }] },
    };
    expect(rolling([server, policy]).cause?.code).toBe("refused-by-server");
    expect(rolling([server, policy, everyone]).cause?.code).toBe("progressing");
  });
});

describe("trust anchors of meshed pods", () => {
  const pod = (name: string, value: string | undefined, annotations: Record<string, string> = {}): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "team", annotations },
    spec: { containers: [value === undefined ? { name: "linkerd-proxy" } : proxyTrusting(value)] },
  });
  const both = `${oldAnchor.certificate}${anchor.certificate}`;
  const roots = (bundle: string): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "r" },
    data: { "ca-bundle.crt": bundle },
  });
  const gaps = (bundle: string, pods: KubernetesObject[], signer: Issued = makeIssuer(names, oldAnchor, madeAt)): unknown =>
    anchorGaps(pods, roots(bundle), parsePem(signer.certificate)[0]).map(
      ({ pod: name, breaks }) => `${name}${breaks ? " breaks" : ""}`,
    );

  test("after step 1 of a rotation, a pod without the new anchor is listed but still works", () => {
    expect(gaps(both, [pod("a", both), pod("b", oldAnchor.certificate)])).toEqual(["team/b"]);
  });

  test("after step 2, a pod without the new anchor rejects every new certificate", () => {
    expect(gaps(both, [pod("a", both), pod("b", oldAnchor.certificate)], issuer)).toEqual(["team/b breaks"]);
  });

  test("after step 3, a pod that also trusts the removed anchor is not listed", () => {
    expect(gaps(anchor.certificate, [pod("a", both)], issuer)).toEqual([]);
  });

  test("for pods of the control plane, status compares the hash in the annotation that the chart sets", () => {
    const digest = (text: string): Record<string, string> => ({
      "linkerd.io/trust-root-sha256": createHash("sha256").update(text).digest("hex"),
    });
    const pods = [
      pod("current", undefined, digest(both.trim())),
      pod("newline", undefined, digest(`${both.trim()}\n`)),
      pod("old", undefined, digest(oldAnchor.certificate.trim())),
    ];
    expect(gaps(`${both}\n`, pods)).toEqual(["team/old"]);
    expect(gaps(`${both}\n`, pods, issuer)).toEqual(["team/old breaks"]);
  });
});

describe("certificates in the cluster and in Git", () => {
  const environment = environmentOf();
  const now = new Date("2026-11-28T12:00:00Z");
  const webhook = makeServerCertificate("linkerd-policy-validator.linkerd.svc", names, anchor, madeAt);
  const secretOf = (form: "PKCS#8" | "SEC1"): KubernetesObject => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const data = { "tls.crt": base64(webhook.certificate), "tls.key": base64(privateKeyPem(webhook, form)) };
    return { apiVersion: "v1", kind: "Secret", metadata: { name: "linkerd-policy-validator-k8s-tls" }, data };
  };
  const objects = (form: "PKCS#8" | "SEC1"): IdentityObjects =>
    identityOf(anchor.certificate, issuer, { "linkerd/linkerd-policy-validator-k8s-tls": secretOf(form) });
  const lines = (inGit: Issued, identity: IdentityObjects, at: Date): string => {
    const certificate = new X509Certificate(inGit.certificate);
    const committed = { name: "issuer", notAfter: certificate.validTo, sha256: fingerprint(certificate) };
    const webhooks = clusterCertificates(environment, identity).filter(({ name }) => name === "linkerd-policy-validator");
    return renderIdentity(
      {
        environment: "dev",
        trustAnchors: { sha256: "a".repeat(64), asCommitted: true },
        certificates: [committed, ...webhooks],
        cluster: {
          secretsRead: identity.secrets !== null,
          certificates: clusterCertificates(environment, identity),
          refusedKeys: refusedKeys(environment, identity),
          anchorGaps: null,
        },
      },
      at,
      picocolors.createColors(false),
    ).join("\n");
  };

  test("are summarized in one line if the cluster and Git contain the same certificates", () => {
    expect(lines(issuer, objects("PKCS#8"), now)).toBe(
      "trust anchors: sha256 aaaaaaaaaaaa\nfirst certificate to expire: issuer, 337 days left",
    );
  });

  test("are summarized in one line for the cluster and one line for Git if they differ; these lines report expired certificates", () => {
    const renewed = makeIssuer(names, anchor, new Date("2027-10-30T00:00:00Z"));
    const after = new Date(Date.parse(new X509Certificate(issuer.certificate).validTo) + 16_000);
    expect(lines(renewed, objects("PKCS#8"), after).split("\n").slice(1)).toEqual([
      "certificate in the cluster that expires first: issuer, expired 16 seconds ago",
      "certificate in Git that expires first: linkerd-policy-validator, expired 16 seconds ago",
      "certificates in the cluster that differ from Git: issuer",
    ]);
  });

  test("include webhook keys: if the program that reads a key does not accept its format, status reports this and prints the fix", () => {
    expect(lines(issuer, objects("SEC1"), now).replaceAll(/\s+/g, " ")).toContain(
      "the private key in Secret linkerd-policy-validator-k8s-tls is in SEC1 format, but the program that reads the key does not accept this format; fix: run meshops identity rotate-webhooks dev",
    );
  });

  test("in the cluster are reported as unknown if the user has no permission to read Secrets", () => {
    expect(lines(issuer, { ...objects("PKCS#8"), secrets: null }, now)).toContain(
      "certificates in the cluster: unknown, because you have no permission to read Secrets",
    );
  });
});

test.each([
  [16_000, "16 seconds"],
  [1_000, "1 second"],
  [0, "0 seconds"],
  [119_000, "1 minute"],
  [7_200_000, "2 hours"],
  [86_400_000, "1 day"],
  [-172_800_000, "2 days"],
])("a duration of %d ms is printed as %s", (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
  const now = new Date("2026-11-28T12:00:00Z");
  const end = new Date(now.getTime() + milliseconds);
  expect(timeLeft(end, now)).toBe(milliseconds > 0 ? `${text} left` : `expired ${text} ago`);
});
