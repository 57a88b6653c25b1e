import { annotationsOf, ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import { listAt } from "../kubernetes/object-fields.ts";
import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { asMap } from "../system/data.ts";
import { proxyAnnotations } from "./meshed.ts";
import { includes, opaquePorts, resolvePort } from "./ports.ts";

/** A port of a Service. */
export interface ServicePort {
  /** Position in `spec.ports`. */
  readonly index: number;
  readonly number: number;
  /** Null if the port has no name. */
  readonly name: string | null;
  /** Number or name of the container port. */
  readonly targetPort: unknown;
  readonly protocol: string;
  readonly appProtocol: string | null;
}

/** Returns the Service with the given name and namespace. Returns null if the manifests do not contain this Service. */
export function serviceNamed(stream: ManifestSet, name: string, namespace: string): Manifest | null {
  return stream.named("", "Service", name).find((service) => ManifestSet.mayShareNamespace(service.namespace, namespace)) ?? null;
}

/**
 * Returns the ports of a Service. If a port has no `targetPort`, the target is the container port with the same number
 * (Kubernetes API, ServicePort).
 */
export function servicePorts(service: Manifest): ServicePort[] {
  const ports = listAt(specOf(service), "ports").map(asMap);
  return ports.map(({ port, targetPort = port, name, protocol = "TCP", appProtocol }, index) => ({
    index,
    number: Number(port),
    name: name === undefined ? null : String(name),
    targetPort,
    protocol: String(protocol),
    appProtocol: appProtocol === undefined ? null : String(appProtocol),
  }));
}

/** Returns the TCP ports of a Service. */
export function tcpServicePorts(service: Manifest): ServicePort[] {
  return servicePorts(service).filter(({ protocol }) => protocol === "TCP");
}

/** Whether the name or the `appProtocol` of a port indicates HTTP or gRPC. */
export function isHttp({ name, appProtocol }: ServicePort): boolean {
  return /grpc|http|h2c/i.test(`${name ?? ""} ${appProtocol ?? ""}`);
}

/**
 * Returns the container port of a workload to which a port of a Service sends requests. Returns null if `targetPort` is
 * a name, and no container of the workload has a port with this name.
 */
export function targetOf({ targetPort }: ServicePort, workload: Workload): number | null {
  return resolvePort(targetPort, workload);
}

/**
 * Whether a port of a Service is opaque, according to the annotation `config.linkerd.io/opaque-ports` of the Service or
 * of its pods. Without this annotation, Linkerd's default list of opaque ports applies.
 */
export function isOpaque(stream: ManifestSet, service: Manifest, port: number): boolean {
  if (includes(opaquePorts(annotationsOf(service)), port)) return true;
  const targetPort = servicePorts(service).find(({ number }) => number === port)?.targetPort ?? port;
  return stream.workloadsOf(service).some((workload) => {
    const target = resolvePort(targetPort, workload);
    return target !== null && includes(opaquePorts(proxyAnnotations(workload, stream), workload), target);
  });
}
