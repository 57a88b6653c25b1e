import { managedLabel } from "../catalog/well-known.ts";
import { specOf } from "../kubernetes/manifest-set.ts";
import type { JsonMap } from "../kubernetes/object.ts";
import { at, mapAt } from "../kubernetes/object-fields.ts";
import { serviceAccountOf, type Workload } from "../kubernetes/workload.ts";
import type { Client, PodSet, Port } from "../mesh/pod-set.ts";
import { policiesFor } from "../mesh/policies.ts";
import type { Addition } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import type { WorkloadPorts } from "./workload-ports.ts";

/**
 * Annotation of generated policies. Its value is the kind and name of the workload, such as `Deployment/web`. Later
 * runs recognize generated policies by this annotation.
 */
export const forKey = "meshops.dev/injection-for";

/**
 * Returns the policies that allow the clients in the MeshInjection to connect to a workload. Returns an empty list if
 * the MeshInjection has no field `clients`, or if the pods of the workload cannot be selected by labels.
 */
export function policyAdditions(workload: Workload, ports: WorkloadPorts, { spec }: MeshInjection): Addition[] {
  if (spec.clients === undefined || !isSelectable(workload)) return [];
  const pods = podSetOf(workload, ports, spec, spec.clients);
  const { network, mesh } = policiesFor(pods, ports.release, {
    networkPolicyName: `${pods.name}-mesh`,
    labels: { ...managedLabel },
    annotations: { [forKey]: `${workload.manifest.kind}/${workload.manifest.name}` },
  });
  const objects = [...(spec.networkPolicy ? network : []), ...(spec.authorization ? mesh : [])];
  return objects.map((object) => ({ object, workload: workload.manifest }));
}

function podSetOf(
  workload: Workload,
  ports: WorkloadPorts,
  { viz }: MeshInjection["spec"],
  clients: NonNullable<MeshInjection["spec"]["clients"]>,
): PodSet {
  const { kind, name, namespace } = workload.manifest;
  return {
    name: name.replace(/-$/, ""),
    title: `${kind} ${name}`,
    namespace,
    workloadRef: { kind, name },
    selector: podSelector(workload),
    serviceAccountName: serviceAccountOf(workload),
    inject: "inherited",
    replicas: null,
    ports: Object.fromEntries([
      ...ports.listening.map((port): [string, Port] => [tcpKey(port), proxiedPort(port, ports)]),
      ...ports.udp.map((port): [string, Port] => [udpKey(port), { port, transport: "UDP", protocol: "unknown" }]),
    ]),
    access: { mode: "enforce", viz, clients: clients.map((client) => clientOf(client, ports)) },
  };
}

function proxiedPort(port: number, ports: WorkloadPorts): Port {
  return { port, protocol: ports.isOpaque(port) ? "opaque" : "unknown", skipsProxy: ports.skipsInbound(port) };
}

function clientOf(
  { namespace, serviceAccount, ports: allowed }: NonNullable<MeshInjection["spec"]["clients"]>[number],
  ports: WorkloadPorts,
): Client {
  const serviceAccountRef = { namespace, name: serviceAccount };
  if (allowed === undefined) return { serviceAccountRef };
  const numbers = allowed.flatMap((port) => ports.numberOf(port) ?? []);
  return { serviceAccountRef, ports: numbers.flatMap((port) => [tcpKey(port), udpKey(port)]) };
}

function tcpKey(port: number): string {
  return String(port);
}

function udpKey(port: number): string {
  return `${port}-udp`;
}

/**
 * Whether the label selector of a workload's pods is not empty. No policy is generated for an empty selector, because
 * an empty selector would select all pods in the namespace.
 */
export function isSelectable(workload: Workload): boolean {
  return Object.values(podSelector(workload)).some((part) => part !== null && Object.keys(part as object).length > 0);
}

/**
 * Returns a label selector for the pods of a workload. If the workload has a selector, returns this selector, which is
 * immutable. Otherwise, the returned selector contains the labels of the pod template. For a Job with a name, it also
 * contains the label `batch.kubernetes.io/job-name`, which Kubernetes 1.27 and later sets on the pods of a Job.
 */
function podSelector({ manifest, labels }: Workload): JsonMap {
  const own = mapAt(specOf(manifest), "selector");
  if (Object.keys(own).length > 0) return own as JsonMap;
  const named = at(manifest.value, "metadata", "name") !== undefined;
  const byName = manifest.kind === "Job" && named ? { "batch.kubernetes.io/job-name": manifest.name } : {};
  return { matchLabels: { ...byName, ...labels } as JsonMap };
}
