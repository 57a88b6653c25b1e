import { type LinkerdRelease, linkerdRelease } from "../catalog/linkerd.ts";
import { portKeys } from "../catalog/well-known.ts";
import type { ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "../mesh/meshed.ts";
import { isProxyContainer } from "../mesh/pod.ts";
import { includes, opaquePorts, parsePorts, type Range, resolvePort } from "../mesh/ports.ts";
import { servicePorts, targetOf } from "../mesh/services.ts";
import { asMap, listOf } from "../system/data.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/**
 * Ports of a workload, and functions that return how the proxy handles a port. The proxy's handling of a port depends
 * on the MeshInjection, on the annotations of the pods or their namespace, and on Linkerd's default list of opaque
 * ports.
 */
export interface WorkloadPorts {
  /** TCP ports that the workload's containers declare or that a Service targets, sorted by number. */
  readonly listening: readonly number[];
  /**
   * UDP ports that the workload's containers declare or that a Service targets, sorted by number. UDP traffic bypasses
   * the proxy.
   */
  readonly udp: readonly number[];
  readonly release: LinkerdRelease;
  /**
   * Returns the number of a port that is specified by number or by the name of a container port; null if no container
   * declares a port with this name.
   */
  numberOf(port: string | number): number | null;
  isOpaque(port: number): boolean;
  skipsInbound(port: number): boolean;
}

/** Function that returns the ports of a workload. It computes the ports of each selected workload only once. */
export type PortsOf = (workload: Workload) => WorkloadPorts;

export function workloadPorts(workload: Workload, stream: ManifestSet, { spec }: MeshInjection): WorkloadPorts {
  const annotations = proxyAnnotations(workload, stream);
  const opaque: readonly Range[] = [...opaquePorts(annotations, workload), ...single(spec.opaquePorts)];
  const skipped: readonly Range[] = [...parsePorts(annotations[portKeys.skipInbound]), ...single(spec.skipInboundPorts)];
  const declared = declaredPorts(workload, stream);
  return {
    listening: numbersOf(declared, "TCP"),
    udp: numbersOf(declared, "UDP"),
    release: linkerdRelease(spec.linkerd),
    numberOf: (port) => resolvePort(port, workload),
    isOpaque: (port) => includes(opaque, port),
    skipsInbound: (port) => includes(skipped, port),
  };
}

interface DeclaredPort {
  readonly number: number;
  readonly protocol: unknown;
}

function declaredPorts(workload: Workload, stream: ManifestSet): DeclaredPort[] {
  const own = containersOf(workload)
    .filter(({ container }) => !isProxyContainer(container))
    .flatMap(({ container }) => listOf(container["ports"]).map(asMap))
    .map(({ containerPort, protocol = "TCP" }) => ({ number: Number(containerPort), protocol }));
  const targets = stream
    .servicesOf(workload)
    .flatMap(servicePorts)
    .map((port) => ({ number: targetOf(port, workload) ?? 0, protocol: port.protocol }));
  return [...own, ...targets];
}

function numbersOf(ports: readonly DeclaredPort[], wanted: "TCP" | "UDP"): number[] {
  const numbers = ports.filter(({ number, protocol }) => number > 0 && protocol === wanted).map(({ number }) => number);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function single(ports: readonly number[]): Range[] {
  return ports.map((port) => [port, port]);
}
