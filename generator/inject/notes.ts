import type { Manifest } from "../kubernetes/read.ts";
import { containersOf, type Workload } from "../kubernetes/workload.ts";
import { resolvePort } from "../mesh/ports.ts";
import { asMap } from "../system/data.ts";
import type { Note } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { isSelectable } from "./policies.ts";
import type { PortsOf, WorkloadPorts } from "./ports.ts";

/** What whoever asked for policies should know: clients that are shut out by a slip, pods that nobody can name, probes that will be refused. */
export function policyNotes(workloads: readonly Workload[], ports: PortsOf, injection: MeshInjection): Note[] {
  if (injection.spec.clients === undefined) return [];
  return [
    ...workloads.flatMap((workload) => workloadNotes(workload, ports(workload), injection)),
    ...unheard(workloads, ports, injection),
    ...tooWide(workloads, injection),
  ];
}

/** With arrivals at the proxy's port, a NetworkPolicy cannot tell what a client is after. */
function tooWide(workloads: readonly Workload[], { spec }: MeshInjection): Note[] {
  const limited = (spec.clients ?? []).filter((client) => client.ports !== undefined);
  const [first] = workloads;
  if (spec.authorization || !spec.networkPolicy || first === undefined || limited.length === 0) return [];
  const message = "without authorization, ports of clients limit nothing: the network sees them all arrive at the proxy's port";
  return [note(first.manifest, "warning", message)];
}

function workloadNotes(workload: Workload, ports: WorkloadPorts, injection: MeshInjection): Note[] {
  const { manifest } = workload;
  const { listening, udp, isOpaque, skipsInbound } = ports;
  const silent = listening.length + udp.length === 0;
  if (!isSelectable(workload)) {
    const message =
      "no policy is written: it has neither a selector nor pod labels, and one for all pods of its namespace was not asked for";
    return [note(manifest, silent ? "warning" : "error", message)];
  }
  const probes = injection.spec.authorization
    ? refusedProbes(workload, (port) => listening.includes(port) && !skipsInbound(port), isOpaque)
    : [];
  return [
    ...(silent && injection.spec.authorization && !/Job$/.test(manifest.kind)
      ? [note(manifest, "warning", "declares no port: what it listens at is guarded by no Server")]
      : []),
    ...probes.map((message) => note(manifest, "warning", message)),
  ];
}

/** Probes pass a Server by their path alone, as plain HTTP (linkerd2, policy-controller, default probe routes); others are clients without identity. */
function refusedProbes(workload: Workload, isGuarded: (port: number) => boolean, isOpaque: (port: number) => boolean): string[] {
  return containersOf(workload).flatMap(({ container }) =>
    ["startupProbe", "readinessProbe", "livenessProbe"].flatMap((probe) => {
      const { grpc, httpGet } = asMap(container[probe]);
      const port = resolvePort(asMap(grpc)["port"] ?? asMap(httpGet)["port"], workload) ?? 0;
      const secure = String(asMap(httpGet)["scheme"]).toUpperCase() === "HTTPS";
      const refused = isGuarded(port) && (grpc !== undefined || (httpGet !== undefined && (secure || isOpaque(port))));
      const how = grpc !== undefined ? "speaks gRPC" : secure ? "speaks HTTPS" : "is of an opaque port";
      return refused
        ? [`its ${probe} at ${port} ${how}: the Server there will refuse kubelet, and the pod never becomes ready`]
        : [];
    }),
  );
}

/** Ports of clients that no workload listens at: a slip, which would shut the client out. */
function unheard(workloads: readonly Workload[], ports: PortsOf, injection: MeshInjection): Note[] {
  const [first] = workloads;
  if (first === undefined) return [];
  const open = workloads.flatMap((workload) => {
    const { listening, udp } = ports(workload);
    return [...listening, ...udp];
  });
  const named = (injection.spec.clients ?? []).flatMap((client) => (client.ports ?? []).map((port) => ({ client, port })));
  return named
    .filter(({ port }) => !open.includes(port))
    .map(({ client: { namespace, serviceAccount }, port }) =>
      note(
        first.manifest,
        "warning",
        `port ${port}, which ${namespace}/${serviceAccount} may use, is declared by no selected workload and by no Service of one`,
      ),
    );
}

export function note(manifest: Manifest, severity: Note["severity"], message: string): Note {
  return { manifest, path: ["metadata", "name"], severity, message };
}
