import { setTimeout as sleep } from "node:timers/promises";
import type { V1ContainerStatus } from "@kubernetes/client-node";
import type { ProbeAnswers } from "../../components/check.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { containerStatuses, isProxyContainer } from "../../mesh/pod.ts";
import { UserError } from "../../system/errors.ts";
import { duration } from "../../system/text.ts";
import type { Cluster } from "../connection.ts";
import { podProblem } from "../pod-problem.ts";
import { type Probe, probeContainer, probePod, readProbe } from "./probe.ts";

/** Result of running a probe. */
export interface ProbeRun extends ProbeAnswers {
  readonly probe: Probe;
  /** The pod in the cluster, including the changes of admission webhooks; null if the pod was not created. */
  readonly pod: KubernetesObject | null;
}

export interface ProbeOptions {
  readonly image: string;
  readonly run: string;
  /** Timeout of a probe in seconds. The timeout includes the time to start the pod. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Creates the pod of a probe, waits until the calls are complete, and reads the results. The caller must delete the
 * pod, because the proxy of the pod may continue to run.
 *
 * @throws if the signal aborts or the cluster does not respond
 */
export async function runProbe(cluster: Cluster, probe: Probe, options: ProbeOptions): Promise<ProbeRun> {
  const { image, run, seconds, signal } = options;
  const object = probePod(probe, image, run, seconds + 30);
  const { name } = object.metadata;
  const broken = (trouble: string, pod: KubernetesObject | null): ProbeRun => ({
    probe,
    pod,
    results: new Map(),
    trouble,
    notes: pod === null ? [] : notesOn(pod),
  });
  try {
    await cluster.create(object);
  } catch (error) {
    if (error instanceof UserError) return broken(error.message, null);
    throw error;
  }
  const end = Date.now() + seconds * 1000;
  let pod: KubernetesObject | null = null;
  while (Date.now() < end) {
    await sleep(400, undefined, { signal });
    pod = await cluster.get("v1", "Pod", name, probe.namespace);
    if (pod === null) return broken("the pod of the probe was deleted during the test", null);
    const ended = stateOf(pod).terminated;
    if (ended !== undefined) {
      const results = readProbe(await cluster.logs(probe.namespace, name, probeContainer));
      return { probe, pod, results, trouble: null, notes: [] };
    }
    if (["Failed", "Succeeded"].includes(String(at(pod, "status", "phase")))) break;
  }
  return broken(pod === null ? "the pod of the probe was not found after its creation" : whyNotDone(pod, seconds), pod);
}

function stateOf(pod: KubernetesObject): NonNullable<V1ContainerStatus["state"]> {
  return containerStatuses(pod).find(({ name }) => name === probeContainer)?.state ?? {};
}

/** Returns the reason why a probe is not complete. */
function whyNotDone(pod: KubernetesObject, seconds: number): string {
  const within = `the probe did not complete within ${duration(seconds * 1000)}`;
  const problem = podProblem(pod);
  switch (problem?.kind) {
    case "unscheduled":
      return `${within}: the pod is unschedulable: ${problem.message}`;
    case "image-pull":
      return `${within}: ${problem.image} cannot be pulled (${problem.reason}). For the image of the test client, run meshops bootstrap to build the image`;
    case "cannot-start":
      return `${within}: ${problem.message}`;
    case "crashing":
      return `${within}: container ${problem.container} is crash-looping${problem.reason === undefined ? "" : ` (${problem.reason})`}`;
    default:
      if (problem === null && !mayWaitForProxy(pod)) return within;
      return `${within}: the proxy is not ready. A proxy gets no certificate if the identity controller does not respond (see test M1), or if the issuer is invalid (see test M3)`;
  }
}

/**
 * Whether a pod may be waiting for its proxy, although the status of the pod does not show this. While the proxy's
 * postStart hook (`proxy-await`) runs, the kubelet does not update the status. During this time, all containers have
 * the state ContainerCreating (kubernetes, pkg/kubelet/kuberuntime, startContainer).
 */
function mayWaitForProxy(pod: KubernetesObject): boolean {
  const proxy = containerStatuses(pod).find(isProxyContainer);
  return proxy !== undefined && proxy.state?.terminated === undefined && stateOf(pod).running === undefined;
}

function notesOn(pod: KubernetesObject): string[] {
  return containerStatuses(pod).map(
    ({ name, state }) => `${name}: ${state?.waiting?.reason ?? Object.keys(state ?? {})[0] ?? "unknown"}`,
  );
}
