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

/** What a workload's pod template says of its proxy, where it does not say so yet. What it says of other ports stays. */
export function annotateWorkload(
  workload: Workload,
  ports: WorkloadPorts,
  stream: ManifestSet,
  { spec }: MeshInjection,
): Change[] {
  const said = proxyAnnotations(workload, stream);
  // An annotation takes the place of Linkerd's own list of opaque ports: those of its ports that are on it are named, too.
  const opaque = [...spec.opaquePorts, ...(said[portKeys.opaque] === undefined ? ports.listening.filter(ports.isOpaque) : [])];
  const wanted: Readonly<Record<string, string | undefined>> = {
    // Controllers that choose the endpoint themselves stay what they are.
    [injectKey]: workload.annotations[injectKey] === "ingress" ? "ingress" : spec.inject,
    [portKeys.opaque]:
      spec.opaquePorts.length === 0
        ? undefined
        : union(
            asNumbers(said[portKeys.opaque], (name) => resolvePort(name, workload)),
            opaque,
          ),
    [portKeys.skipInbound]:
      spec.skipInboundPorts.length === 0 ? undefined : union(said[portKeys.skipInbound], spec.skipInboundPorts),
    [portKeys.skipOutbound]:
      spec.skipOutboundPorts.length === 0 ? undefined : union(said[portKeys.skipOutbound], spec.skipOutboundPorts),
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
 * A Service that leads to an opaque port of the configuration says so, of its own ports: clients' proxies read the pod's annotation for pod
 * addresses, the Service's for cluster addresses (Linkerd docs, "Protocol detection"). What it says already stays.
 */
export function annotateServices(
  stream: ManifestSet,
  workloads: readonly Workload[],
  ports: PortsOf,
  injection: MeshInjection,
): Change[] {
  const chosen = new Set(workloads.map(({ manifest }) => manifest));
  return stream.ofKind("", "Service").flatMap((service) => {
    const behind = stream.workloadsOf(service).filter(({ manifest }) => chosen.has(manifest));
    const asked = leadingTo(service, behind, (port) => injection.spec.opaquePorts.includes(port));
    if (asked.length === 0) return [];
    const all = leadingTo(service, behind, (port, workload) => ports(workload).isOpaque(port));
    const said = annotationsOf(service)[portKeys.opaque];
    const value = union(
      asNumbers(said, (name) => portNamed(service, name)),
      all,
    );
    return value === said ? [] : [{ manifest: service, path: ["metadata", "annotations", portKeys.opaque], value }];
  });
}

/** Ports of a Service that lead to ports of pods of which something holds. */
function leadingTo(
  service: Manifest,
  workloads: readonly Workload[],
  holds: (port: number, workload: Workload) => boolean,
): number[] {
  return listOf(specOf(service)["ports"])
    .map(asMap)
    .filter(({ port, targetPort = port, protocol = "TCP" }) =>
      workloads.some((workload) => protocol === "TCP" && holds(resolvePort(targetPort, workload) ?? 0, workload)),
    )
    .map(({ port }) => Number(port));
}

/**
 * A list of opaque ports with numbers instead of names. Linkerd's injector and destination controller resolve names; the policy controller takes
 * a list with a name for an empty one (linkerd2, policy-controller/k8s/index/src/ports.rs), so nothing may be added to it as it is.
 */
function asNumbers(said: unknown, resolve: (name: string) => number | null): string | undefined {
  if (said === undefined) return undefined;
  const parts = String(said)
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.flatMap((part) => (/^\d+(-\d+)?$/.test(part) ? [part] : (resolve(part)?.toString() ?? []))).join(",");
}

/** Number of a Service's port by its name; null if it has none of that name. */
function portNamed(service: Manifest, name: string): number | null {
  const found = listOf(specOf(service)["ports"])
    .map(asMap)
    .find((port) => port["name"] === name)?.["port"];
  return typeof found === "number" ? found : null;
}

/** A port list with ports added that it does not have. */
function union(said: unknown, ports: readonly number[]): string {
  const known = parsePorts(said);
  const missing = [...new Set(ports)].filter((port) => !includes(known, port)).sort((a, b) => a - b);
  return [...(known.length === 0 ? [] : [String(said)]), ...missing].join(",");
}
