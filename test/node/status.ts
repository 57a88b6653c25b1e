import { afterAll, beforeAll, expect, test } from "vitest";
import { placementOf } from "../../generator/bundle/emit/placement.ts";
import type { Cause } from "../../generator/cluster/status/cause.ts";
import type { Snapshot } from "../../generator/cluster/status/snapshot.ts";
import { workloadState } from "../../generator/cluster/status/workload-state.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import type { ApiObject } from "../cluster/harness/api.ts";
import { until } from "../cluster/harness/processes.ts";
import { emptySnapshot } from "../support/snapshot.ts";
import { environmentOf } from "../support/specs.ts";
import type { RealNode } from "./harness/node.ts";
import { nodeImage } from "./harness/node-image.ts";

const namespace = "causes";

/* Tests the causes that `meshops status` reports for real pods, for example for a missing image or a failing probe. */
export function statusTests(running: () => RealNode): void {
  let node: RealNode;
  beforeAll(async () => {
    node = running();
    await node.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  });
  afterAll(() => node.removeNamespaces([namespace]));

  const listed = (path: string): Promise<KubernetesObject[]> => node.api.list(path) as Promise<KubernetesObject[]>;
  const within = (group: string, kind: string): Promise<KubernetesObject[]> => listed(`${group}/namespaces/${namespace}/${kind}`);

  async function causeOfWorkload(kind: "Deployment" | "StatefulSet", name: string): Promise<Cause | null> {
    const workloads = await within("/apis/apps/v1", kind === "Deployment" ? "deployments" : "statefulsets");
    const workload = workloads.find(({ metadata }) => metadata.name === name);
    if (workload === undefined) throw new Error(`there is no ${kind} ${name}`);
    const snapshot: Snapshot = {
      ...emptySnapshot,
      workloads,
      pods: await within("/api/v1", "pods"),
      claims: await within("/api/v1", "persistentvolumeclaims"),
      events: await within("/api/v1", "events"),
      namespaces: await listed("/api/v1/namespaces"),
      takenAt: new Date(),
    };
    const subject = { environment: "dev", placement: placementOf(environmentOf()), component: "causes", kind, namespace, name };
    return workloadState({ ...workload, apiVersion: "apps/v1", kind }, snapshot, subject).cause;
  }

  /** Waits until status determines a cause with this code for a workload. Returns this cause. */
  async function reported(code: Cause["code"], kind: "Deployment" | "StatefulSet", name: string): Promise<Cause> {
    return until(`${name}: ${code}`, async () => {
      const cause = await causeOfWorkload(kind, name);
      if (cause?.code !== code) throw new Error(JSON.stringify(cause));
      return cause;
    });
  }

  const problems: [
    code: Cause["code"],
    kind: "Deployment" | "StatefulSet",
    name: string,
    container: object,
    spec: object,
    reason: RegExp,
  ][] = [
    [
      "image-pull",
      "Deployment",
      "absent",
      { image: "registry.example/absent:1" },
      {},
      /cannot pull registry\.example\/absent:1 \((ErrImagePull|ImagePullBackOff)\)/,
    ],
    ["pod-crashing", "Deployment", "crash", { args: ["-e", "process.exit(3)"] }, {}, /is crash-looping \(Error\)/],
    [
      "pod-crashing",
      "Deployment",
      "memory",
      { args: ["-e", "const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))"], resources: { limits: { memory: "80Mi" } } },
      {},
      /is crash-looping \(OOMKilled\)/,
    ],
    [
      "probe-failing",
      "Deployment",
      "probe",
      { readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 1 } },
      {},
      /Readiness probe failed: .*:81: .*connection refused/,
    ],
    ["pod-unschedulable", "Deployment", "large", { resources: { requests: { cpu: "1000" } } }, {}, /Insufficient cpu/],
    [
      "pod-broken",
      "Deployment",
      "config",
      { envFrom: [{ configMapRef: { name: "absent" } }] },
      {},
      /configmap "absent" not found/,
    ],
    [
      "volume",
      "StatefulSet",
      "unbound",
      { volumeMounts: [{ name: "data", mountPath: "/data" }] },
      { volumeClaimTemplates: [claim] },
      /waits for its PersistentVolumeClaim data-unbound-0/,
    ],
  ];

  test("for each pod that fails because of its spec, status reports the expected cause", async () => {
    for (const [, kind, name, container, spec] of problems) await node.api.apply(workloadOf(kind, name, container, spec));
    for (const [code, kind, name, , , reason] of problems)
      expect((await reported(code, kind, name)).reason, name).toMatch(reason);
    for (const [, kind, name] of problems) await remove(kind, name);
  });

  const remove = (kind: "Deployment" | "StatefulSet", name: string): Promise<void> =>
    node.api.delete(`/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`);

  test("if the Service of a webhook with failurePolicy Fail does not exist, status reports the webhook", async () => {
    const service = { name: "absent", namespace, path: "/" };
    const configuration = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "absent" },
      webhooks: [
        {
          name: "absent.example.org",
          clientConfig: { service },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    };
    await node.api.apply(configuration);
    await node.api.apply(workloadOf("Deployment", "refused"));
    expect((await reported("webhook", "Deployment", "refused")).reason).toMatch(
      /cannot call the webhook absent\.example\.org: service "absent" not found/,
    );
    await node.api.delete("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/absent");
    await remove("Deployment", "refused");
  });

  test("if the update of a StatefulSet waits for a broken pod, the command that status prints fixes the update", async () => {
    await node.api.apply(workloadOf("StatefulSet", "stalled"));
    await until("the pod is ready", async () => (await causeOfWorkload("StatefulSet", "stalled")) === null);
    await node.api.apply(workloadOf("StatefulSet", "stalled", { image: "registry.example/absent:1" }));
    await reported("image-pull", "StatefulSet", "stalled");
    await node.api.apply(workloadOf("StatefulSet", "stalled"));
    const { reason, fix } = await reported("rollout-stalled", "StatefulSet", "stalled");
    expect(reason).toMatch(
      /the StatefulSet controller waits until pod stalled-0 of the earlier revision is ready: pod stalled-0 cannot pull/,
    );
    const [, pod] = /^kubectl delete pod (\S+) --namespace causes: /.exec(fix) ?? [];
    await node.api.delete(`/api/v1/namespaces/${namespace}/pods/${pod}`);
    await until("the update is complete", async () => (await causeOfWorkload("StatefulSet", "stalled")) === null);
  });

  test("if a deleted pod still exists because of a finalizer, status reports the finalizer", async () => {
    const path = `/api/v1/namespaces/${namespace}/pods/stalled-0`;
    await node.api.merge(path, { metadata: { finalizers: ["example.org/hold"] } });
    await node.api.delete(path);
    expect((await reported("pod-terminating", "StatefulSet", "stalled")).reason).toBe(
      "pod stalled-0 is stuck in Terminating, because it has the finalizer example.org/hold",
    );
    await node.api.merge(path, { metadata: { finalizers: null } });
    await until("the pod is created again", async () => (await causeOfWorkload("StatefulSet", "stalled")) === null);
    await remove("StatefulSet", "stalled");
  });
}

const claim = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], storageClassName: "absent", resources: { requests: { storage: "1Gi" } } },
};

function workloadOf(kind: "Deployment" | "StatefulSet", name: string, container: object = {}, spec: object = {}): ApiObject {
  const labels = { app: name };
  const main = {
    name: "main",
    image: nodeImage,
    imagePullPolicy: "IfNotPresent",
    args: ["-e", "setInterval(() => {}, 1e6)"],
    ...container,
  };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [main] } };
  const own = kind === "StatefulSet" ? { serviceName: name } : {};
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template, ...own, ...spec },
  };
}
