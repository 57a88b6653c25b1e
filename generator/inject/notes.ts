import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import type { Note } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { isSelectable } from "./policies.ts";
import type { PortsOf, WorkloadPorts } from "./workload-ports.ts";

/**
 * Returns notes about the policies that `spec.clients` requires. Examples are a port in `spec.clients` that no workload
 * declares, and a workload for which no policy can be generated. Without `spec.clients`, returns an empty list.
 */
export function policyNotes(workloads: readonly Workload[], ports: PortsOf, injection: MeshInjection): Note[] {
  if (injection.spec.clients === undefined) return [];
  return [
    ...workloads.flatMap((workload) => workloadNotes(workload, ports(workload), injection)),
    ...undeclaredPorts(workloads, ports, injection),
    ...portsWithoutEffect(workloads, injection),
  ];
}

/**
 * Reports the field `ports` of clients if the field has no effect. If `authorization` is false, only a NetworkPolicy
 * limits the connections of clients. A NetworkPolicy cannot limit a meshed client to a port of the workload, because
 * all meshed connections arrive at the proxy's port.
 */
function portsWithoutEffect(workloads: readonly Workload[], { spec }: MeshInjection): Note[] {
  const limited = (spec.clients ?? []).filter((client) => client.ports !== undefined);
  const [first] = workloads;
  if (spec.authorization || !spec.networkPolicy || first === undefined || limited.length === 0) return [];
  const message =
    "with authorization: false, the field clients[].ports has no effect, because all connections of meshed clients arrive at port 4143 of the proxy";
  return [note(first.manifest, "warning", message)];
}

function workloadNotes(workload: Workload, ports: WorkloadPorts, injection: MeshInjection): Note[] {
  const { manifest } = workload;
  const { listening, udp } = ports;
  const declaresNoPort = listening.length + udp.length === 0;
  if (!isSelectable(workload)) {
    const message =
      "meshops generates no policy for this workload, because the workload has neither a selector nor pod labels. A policy with an empty selector would apply to all pods of the namespace";
    return [note(manifest, declaresNoPort ? "warning" : "error", message)];
  }
  return [
    ...(declaresNoPort && injection.spec.authorization && !/Job$/.test(manifest.kind)
      ? [
          note(
            manifest,
            "warning",
            "the workload declares no port, so no Server protects the ports on which the workload listens",
          ),
        ]
      : []),
  ];
}

/**
 * Reports each port in `spec.clients` that neither a selected workload nor one of its Services declares. The generated
 * policies would not allow connections to these ports.
 */
function undeclaredPorts(workloads: readonly Workload[], ports: PortsOf, injection: MeshInjection): Note[] {
  const [first] = workloads;
  if (first === undefined) return [];
  const isDeclared = (port: string | number): boolean =>
    workloads.some((workload) => {
      const { listening, udp, numberOf } = ports(workload);
      const number = numberOf(port);
      return number !== null && [...listening, ...udp].includes(number);
    });
  const named = (injection.spec.clients ?? []).flatMap((client) => (client.ports ?? []).map((port) => ({ client, port })));
  return named
    .filter(({ port }) => !isDeclared(port))
    .map(({ client: { namespace, serviceAccount }, port }) =>
      note(
        first.manifest,
        "error",
        `the client ${namespace}/${serviceAccount} lists port ${port}, but neither the selected workloads nor their Services declare this port`,
      ),
    );
}

export function note(manifest: Manifest, severity: Note["severity"], message: string): Note {
  return { manifest, path: ["metadata", "name"], severity, message };
}
