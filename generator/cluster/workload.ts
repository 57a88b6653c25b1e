import type { Cause } from "./cause.ts";
import { causeOf, type Subject, unknownCause } from "./cause.ts";
import { at, type ClusterObject, condition, isObserved, listAt } from "./objects.ts";
import type { Snapshot } from "./snapshot.ts";

/** A workload, its pods, and how many of them are in the mesh. */
export interface WorkloadState {
  readonly ready: boolean;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Pods with a proxy; null where the workload is not to be meshed. */
  readonly meshed: number | null;
  readonly cause: Cause | null;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** How a workload stands. */
export function workloadState(workload: ClusterObject, snapshot: Snapshot, subject: Subject): WorkloadState {
  const pods = podsOf(workload, snapshot);
  const replicas = Number(at(workload, "spec", "replicas") ?? at(workload, "status", "desiredNumberScheduled") ?? 1);
  const readyReplicas = Number(at(workload, "status", "readyReplicas") ?? at(workload, "status", "numberReady") ?? 0);
  const wanted = isInjected(workload, snapshot);
  const proxied = pods.filter((pod) => proxyOf(pod) !== undefined);
  const rolledOut = isObserved(workload) && readyReplicas >= replicas && isRolledOut(workload, replicas);
  const mesh = wanted ? meshCause(pods, snapshot, subject) : null;
  const cause = rolledOut ? mesh : (podCause(workload, pods, snapshot, subject) ?? mesh);
  return { ready: rolledOut && mesh === null, replicas, readyReplicas, meshed: wanted ? proxied.length : null, cause };
}

function isRolledOut(workload: ClusterObject, replicas: number): boolean {
  const { status } = workload;
  if (workload.kind === "StatefulSet") return replicas === 0 || at(status, "currentRevision") === at(status, "updateRevision");
  if (workload.kind === "DaemonSet") return Number(at(status, "updatedNumberScheduled") ?? 0) >= replicas;
  return Number(at(status, "updatedReplicas") ?? 0) >= replicas && Number(at(status, "replicas") ?? 0) === replicas;
}

function podsOf({ spec, metadata }: ClusterObject, { pods }: Snapshot): ClusterObject[] {
  const labels = Object.entries((at(spec, "selector", "matchLabels") ?? {}) as Record<string, string>);
  return pods.filter(
    (pod) =>
      pod.metadata.namespace === metadata.namespace &&
      isLive(pod) &&
      labels.every(([key, value]) => pod.metadata.labels?.[key] === value),
  );
}

/** Whether Linkerd's injector is asked to mesh its pods: by the pod template, or by the namespace where the template says nothing. */
function isInjected(workload: ClusterObject, { namespaces }: Snapshot): boolean {
  const own = at(workload, "spec", "template", "metadata", "annotations", "linkerd.io/inject");
  const namespace = namespaces.find(({ metadata }) => metadata.name === workload.metadata.namespace);
  const asked = own ?? namespace?.metadata.annotations?.["linkerd.io/inject"];
  return asked === "enabled" || asked === "ingress";
}

/** The proxy of a pod: a container, or an init container that stays (native sidecar). */
export function proxyOf(pod: ClusterObject): Container | undefined {
  const all = [...listAt<Container>(pod, "spec", "containers"), ...listAt<Container>(pod, "spec", "initContainers")];
  return all.find(({ name }) => name === "linkerd-proxy");
}

/** The trust anchors that a pod's proxy believes, PEM without white space around; undefined where its environment names none. */
export function anchorsOf(pod: ClusterObject): string | undefined {
  return proxyOf(pod)
    ?.env?.find(({ name }) => name === "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS")
    ?.value?.trim();
}

/** Whether a pod has neither ended nor is on its way out. */
export function isLive(pod: ClusterObject): boolean {
  return !["Succeeded", "Failed"].includes(String(at(pod, "status", "phase"))) && pod.metadata.deletionTimestamp === undefined;
}

/** A pod that is in the mesh no more, or never was, though it runs. */
function meshCause(pods: readonly ClusterObject[], { trustRoots }: Snapshot, { kind, name, namespace }: Subject): Cause | null {
  const restart = `kubectl rollout restart ${kind.toLowerCase()} ${name} --namespace ${namespace}`;
  const bare = pods.filter((pod) => proxyOf(pod) === undefined);
  const [first] = bare;
  if (first !== undefined) {
    const cause = `${bare.length === 1 ? `pod ${first.metadata.name} runs` : `${bare.length} pods run`} without a proxy: the injector was not asked, or did not answer`;
    return { code: "not-meshed", cause, remedy: restart };
  }
  const bundle = String(at(trustRoots, "data", "ca-bundle.crt") ?? "").trim();
  const stale = pods.filter((pod) => {
    const anchors = anchorsOf(pod);
    return bundle !== "" && anchors !== undefined && anchors !== bundle;
  });
  if (stale.length === 0) return null;
  return {
    code: "stale-trust-anchors",
    cause: `${stale.length === 1 ? "a proxy believes" : `${stale.length} proxies believe`} other trust anchors than the control plane`,
    remedy: restart,
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason?: string } };
}

/** What keeps a workload's pods from being there and ready. */
function podCause(workload: ClusterObject, pods: readonly ClusterObject[], snapshot: Snapshot, subject: Subject): Cause {
  const replicas = Number(at(workload, "spec", "replicas") ?? 1);
  const refusal = pods.length < replicas ? refusalOf(workload, snapshot) : null;
  if (refusal !== null) return causeOf(refusal, subject) ?? unknownCause(refusal, subject);
  for (const pod of pods) {
    const cause = unscheduled(pod, snapshot, subject) ?? broken(pod, subject);
    if (cause !== null) return cause;
  }
  const { kind, name, namespace } = subject;
  if (pods.length < replicas)
    return {
      code: "progressing",
      cause: `${pods.length} of ${replicas} pods are there`,
      remedy: `kubectl describe ${kind.toLowerCase()} ${name} --namespace ${namespace}`,
    };
  return { code: "progressing", cause: "its pods are starting", remedy: `kubectl get pods --namespace ${namespace}` };
}

/** Why the API server let no pod be made: a Deployment has it as a condition, a StatefulSet or DaemonSet as an event only. */
function refusalOf(workload: ClusterObject, { events }: Snapshot): string | null {
  const failure = condition(workload, "ReplicaFailure");
  if (failure?.status === "True") return failure.message ?? "";
  const own = events.filter(
    (event) => at(event, "involvedObject", "uid") === workload.metadata.uid && event["reason"] === "FailedCreate",
  );
  const newest = own.sort((a, b) => String(a["lastTimestamp"]).localeCompare(String(b["lastTimestamp"]))).at(-1);
  return newest === undefined ? null : String(newest["message"]);
}

/** A pod that no node takes; a claim that waits for its pod to be scheduled is no reason. */
function unscheduled(pod: ClusterObject, { claims }: Snapshot, { namespace }: Subject): Cause | null {
  const { name } = pod.metadata;
  const scheduled = condition(pod, "PodScheduled");
  const message = scheduled?.message ?? scheduled?.reason ?? "";
  const volume = /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found|volume node affinity/i.test(
    message,
  );
  if (scheduled?.status === "False" && !volume)
    return {
      code: "pod-unschedulable",
      cause: `no node takes pod ${name}: ${message}`.slice(0, 300),
      remedy: "more or larger nodes: azure.cluster in the spec",
    };
  const unbound = claims.find(
    ({ metadata, ...claim }) =>
      metadata.namespace === namespace && at(claim, "status", "phase") === "Pending" && metadata.name.endsWith(`-${name}`),
  );
  if (unbound === undefined || at(pod, "status", "phase") !== "Pending") return null;
  const claim = unbound.metadata.name;
  return {
    code: "volume",
    cause: `pod ${name} waits for its volume ${claim}`,
    remedy: `kubectl describe persistentvolumeclaim ${claim} --namespace ${namespace}`,
  };
}

/** A pod with a container that cannot start, or does not stay. */
function broken(pod: ClusterObject, { namespace }: Subject): Cause | null {
  const { name } = pod.metadata;
  const containers = [
    ...listAt<ContainerStatus>(pod, "status", "initContainerStatuses"),
    ...listAt<ContainerStatus>(pod, "status", "containerStatuses"),
  ];
  for (const { image, state, name: container, ready, restartCount = 0, lastState } of containers) {
    const { reason = "", message = "" } = state?.waiting ?? {};
    if (/ErrImage|ImagePull|InvalidImageName|ImageInspect/.test(reason))
      return {
        code: "image-pull",
        cause: `pod ${name} cannot pull ${image} (${reason})`,
        remedy: "is it in the registry (meshops images), and may the cluster pull from there? meshops bootstrap sees to both",
      };
    if (reason === "CrashLoopBackOff" || (ready === false && restartCount > 2)) {
      const why = lastState?.terminated?.reason;
      const cause = `container ${container} of pod ${name} ends again and again${why === undefined ? "" : ` (${why})`}`;
      return {
        code: "pod-crashing",
        cause,
        remedy: `kubectl logs ${name} --container ${container} --namespace ${namespace} --previous`,
      };
    }
    if (/Error$/.test(reason))
      return {
        code: "pod-broken",
        cause: `container ${container} of pod ${name} cannot start: ${message || reason}`.slice(0, 300),
        remedy: `kubectl describe pod ${name} --namespace ${namespace}`,
      };
  }
  return null;
}
