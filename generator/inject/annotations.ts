import { injectKey, portKeys } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import { listAt } from "../kubernetes/object-fields.ts";
import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "../mesh/meshed.ts";
import { includes, parsePorts, resolvePort } from "../mesh/ports.ts";
import { targetOf, tcpServicePorts } from "../mesh/services.ts";
import { asMap } from "../system/data.ts";
import type { Change } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import type { PortsOf, WorkloadPorts } from "./workload-ports.ts";

/**
 * Returns the changes that set Linkerd's annotations on a workload's pod template: the injection annotation, and the
 * annotations for the port lists of the MeshInjection (`opaquePorts`, `skipInboundPorts` and `skipOutboundPorts`). If
 * an annotation already lists ports, these ports remain in the list.
 */
export function annotateWorkload(
  workload: Workload,
  ports: WorkloadPorts,
  stream: ManifestSet,
  { spec }: MeshInjection,
): Change[] {
  const existing = proxyAnnotations(workload, stream);
  // An annotation for opaque ports replaces Linkerd's default list of opaque ports. If the default list contains a port
  // of the workload, a new annotation must therefore also contain this port.
  const opaque = [
    ...spec.opaquePorts,
    ...(existing[portKeys.opaque] === undefined ? ports.listening.filter(ports.isOpaque) : []),
  ];
  const wanted: Readonly<Record<string, string | undefined>> = {
    [injectKey]: isKept(workload.annotations[injectKey]) ? undefined : spec.inject,
    [portKeys.opaque]:
      spec.opaquePorts.length === 0 ? undefined : union(existing[portKeys.opaque], opaque, (name) => resolvePort(name, workload)),
    [portKeys.skipInbound]:
      spec.skipInboundPorts.length === 0 ? undefined : union(existing[portKeys.skipInbound], spec.skipInboundPorts),
    [portKeys.skipOutbound]:
      spec.skipOutboundPorts.length === 0 ? undefined : union(existing[portKeys.skipOutbound], spec.skipOutboundPorts),
  };
  return Object.entries(wanted)
    .filter(([key, value]) => value !== undefined && workload.annotations[key] !== value)
    .map(([key, value]) => ({
      manifest: workload.manifest,
      path: [...workload.template, "metadata", "annotations", key],
      value,
    }));
}

/**
 * Whether to keep the existing value of a workload's injection annotation. The function keeps the value `ingress`,
 * because ingress controllers that select endpoints themselves need this value. It also keeps a value with a variable
 * such as `${INJECT}`, because Flux substitutes the variable later.
 */
function isKept(value: unknown): boolean {
  return value === "ingress" || String(value).includes("${");
}

/**
 * Returns the changes that set the annotation for opaque ports on Services. A Service gets the annotation if one of its
 * target ports is in `opaquePorts` of the MeshInjection. The Service needs the annotation because a client's proxy uses
 * the annotation of the pod only for connections to the IP address of the pod. For connections to the cluster IP
 * address of a Service, the proxy uses the annotation of the Service (Linkerd docs, "Protocol detection"). Ports that
 * the annotation already lists remain in the list.
 */
export function annotateServices(
  stream: ManifestSet,
  workloads: readonly Workload[],
  ports: PortsOf,
  injection: MeshInjection,
): Change[] {
  const chosen = new Set(workloads.map(({ manifest }) => manifest));
  return stream.ofKind("", "Service").flatMap((service) => {
    const targets = stream.workloadsOf(service).filter(({ manifest }) => chosen.has(manifest));
    const configured = portsTo(service, targets, (port) => injection.spec.opaquePorts.includes(port));
    if (configured.length === 0) return [];
    const all = portsTo(service, targets, (port, workload) => ports(workload).isOpaque(port));
    const existing = annotationsOf(service)[portKeys.opaque];
    const value = union(existing, all, (name) => portNamed(service, name));
    return value === existing ? [] : [{ manifest: service, path: ["metadata", "annotations", portKeys.opaque], value }];
  });
}

/**
 * Returns the numbers of a Service's TCP ports. Omits a port if `matches` returns false for the target port in every
 * workload.
 */
function portsTo(
  service: Manifest,
  workloads: readonly Workload[],
  matches: (port: number, workload: Workload) => boolean,
): number[] {
  return tcpServicePorts(service)
    .filter((port) => workloads.some((workload) => matches(targetOf(port, workload) ?? 0, workload)))
    .map(({ number }) => number);
}

/** Returns the number of a Service port with a given name. Returns null if the Service has no port with this name. */
function portNamed(service: Manifest, name: string): number | null {
  const found = listAt(specOf(service), "ports")
    .map(asMap)
    .find((port) => port["name"] === name)?.["port"];
  return typeof found === "number" ? found : null;
}

/**
 * Returns the port list of an annotation with the given ports appended, as text. The existing text of the list stays
 * the same, including port names and variables such as `${PORT}`. The function does not append a port if the list
 * already contains the number or the name of the port.
 *
 * @param resolve returns the number of a port with a given name, or null if no port has this name
 */
function union(existing: unknown, ports: readonly number[], resolve: (name: string) => number | null = () => null): string {
  const written = String(existing ?? "").trim();
  const named = written.split(",").flatMap((part) => resolve(part.trim()) ?? []);
  const known = parsePorts(existing);
  const missing = [...new Set(ports)].filter((port) => !includes(known, port) && !named.includes(port)).sort((a, b) => a - b);
  return [...(written === "" ? [] : [written]), ...missing].join(",");
}
