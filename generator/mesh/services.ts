import { annotationsOf, ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import { listOf } from "../kubernetes/workload.ts";
import { asMap } from "../system/data.ts";
import { proxyAnnotations } from "./meshed.ts";
import { includes, opaquePorts, resolvePort } from "./ports.ts";

/** A port of a Service. */
export interface ServicePort {
  readonly number: number;
  /** Whether the port's name or `appProtocol` indicates HTTP or gRPC. */
  readonly http: boolean;
}

/** Returns the Service with a name in a namespace. Returns null if the manifests do not contain the Service. */
export function serviceNamed(stream: ManifestSet, name: string, namespace: string): Manifest | null {
  return stream.named("", "Service", name).find((service) => ManifestSet.mayShareNamespace(service.namespace, namespace)) ?? null;
}

export function servicePorts(service: Manifest): ServicePort[] {
  return listOf(specOf(service)["ports"])
    .map(asMap)
    .filter(({ protocol = "TCP" }) => protocol === "TCP")
    .map(({ port, name, appProtocol }) => ({
      number: Number(port),
      http: /grpc|http|h2c/i.test(`${String(name ?? "")} ${String(appProtocol ?? "")}`),
    }));
}

/**
 * Whether a port of a Service is opaque, according to the annotation `config.linkerd.io/opaque-ports` of the Service or
 * of its pods. If this annotation is missing, Linkerd's default list of opaque ports applies.
 */
export function isOpaque(stream: ManifestSet, service: Manifest, port: number): boolean {
  if (includes(opaquePorts(annotationsOf(service)), port)) return true;
  const { ports } = specOf(service);
  const { targetPort = port } =
    listOf(ports)
      .map(asMap)
      .find((entry) => entry["port"] === port) ?? {};
  return stream.workloadsOf(service).some((workload) => {
    const target = resolvePort(targetPort, workload);
    return target !== null && includes(opaquePorts(proxyAnnotations(workload, stream), workload), target);
  });
}
