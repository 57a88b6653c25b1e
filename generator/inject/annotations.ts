import { injectKey, portKeys } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import { listOf, type Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "../mesh/meshed.ts";
import { includes, parsePorts, resolvePort } from "../mesh/ports.ts";
import { asMap } from "../system/data.ts";
import type { Change } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import type { PortsOf, WorkloadPorts } from "./ports.ts";

/**
 * Returns the changes that set the proxy's annotations on a workload's pod template. If an annotation already lists
 * ports, those ports remain in the list.
 */
export function annotateWorkload(
  workload: Workload,
  ports: WorkloadPorts,
  stream: ManifestSet,
  { spec }: MeshInjection,
): Change[] {
  const existing = proxyAnnotations(workload, stream);
  // The annotation replaces Linkerd's default list of opaque ports. Therefore, if a port of the workload is in the
  // default list, the annotation must contain this port.
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
 * Whether the injection annotation of a workload must stay unchanged. Two values must stay unchanged: `ingress`
 * and a substitution of Flux. Ingress controllers that select endpoints themselves need the value `ingress`. Flux
 * replaces the substitution later.
 */
function isKept(value: unknown): boolean {
  return value === "ingress" || String(value).includes("${");
}

/**
 * Returns the changes that annotate Services. A Service is annotated if one of its target ports is in `opaquePorts` of
 * the configuration. For connections to pod addresses, a client's proxy uses the pod's annotation. For connections to
 * cluster addresses, the proxy uses the Service's annotation (Linkerd docs, "Protocol detection"). Ports that the
 * annotation already lists remain in the list.
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

/** Returns the ports of a Service that target pod ports for which a condition is true. */
function portsTo(
  service: Manifest,
  workloads: readonly Workload[],
  matches: (port: number, workload: Workload) => boolean,
): number[] {
  return listOf(specOf(service)["ports"])
    .map(asMap)
    .filter(({ port, targetPort = port, protocol = "TCP" }) =>
      workloads.some((workload) => protocol === "TCP" && matches(resolvePort(targetPort, workload) ?? 0, workload)),
    )
    .map(({ port }) => Number(port));
}

/** Returns the number of the port of a Service that has a given name. Returns null if no port has this name. */
function portNamed(service: Manifest, name: string): number | null {
  const found = listOf(specOf(service)["ports"])
    .map(asMap)
    .find((port) => port["name"] === name)?.["port"];
  return typeof found === "number" ? found : null;
}

/**
 * Adds ports to a port list. The existing text of the list is kept, including names and substitutions such as
 * `${PORT}`. Omits ports that the list already includes by number or by name.
 */
function union(existing: unknown, ports: readonly number[], resolve: (name: string) => number | null = () => null): string {
  const written = String(existing ?? "").trim();
  const named = written.split(",").flatMap((part) => resolve(part.trim()) ?? []);
  const known = parsePorts(existing);
  const missing = [...new Set(ports)].filter((port) => !includes(known, port) && !named.includes(port)).sort((a, b) => a - b);
  return [...(written === "" ? [] : [written]), ...missing].join(",");
}
