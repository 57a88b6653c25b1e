import { asMap } from "../system/data.ts";
import { portNumber } from "./workload.ts";

/** A probe of a container that connects to a port and expects an answer to a request. */
export interface Probe {
  readonly field: "livenessProbe" | "readinessProbe" | "startupProbe";
  readonly kind: "http" | "https" | "grpc";
  /**
   * Null if the probe refers to a port by name, and the container of the probe does not declare a port with this name.
   */
  readonly port: number | null;
  /** Path of the request without the query; empty for gRPC. */
  readonly path: string;
}

/**
 * Returns the HTTP, HTTPS and gRPC probes of a container. The kubelet resolves the name of a port only in the container
 * of the probe (kubernetes, pkg/probe/util.go, ResolveContainerPort). Omits `tcpSocket` probes, because the proxy
 * itself answers these probes. Omits `exec` probes, because these probes do not connect to the pod.
 */
export function probesOf(container: unknown): Probe[] {
  const fields = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
  return fields.flatMap((field): Probe[] => {
    const { httpGet, grpc } = asMap(asMap(container)[field]);
    if (httpGet === undefined && grpc === undefined) return [];
    const { port, scheme = "HTTP", path = "/" } = asMap(httpGet ?? grpc);
    const kind = grpc !== undefined ? "grpc" : scheme === "HTTPS" ? "https" : "http";
    const number = portNumber(port, [container]) ?? (/^\d+$/.test(String(port)) ? Number(port) : null);
    return [{ field, kind, port: number, path: kind === "grpc" ? "" : String(path).replace(/\?.*$/, "") }];
  });
}
