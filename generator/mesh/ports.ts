import { defaultOpaquePorts } from "../catalog/linkerd.ts";
import { portKeys } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { containersOf, type Labels, portNumber, type Workload } from "../kubernetes/workload.ts";
import { asMap, listOf } from "../system/data.ts";
import { podContainers } from "./pod.ts";

/** A range of ports, including both ends. */
export type Range = readonly [from: number, to: number];

/** Parses a port list of a Linkerd annotation, such as `5080,7080-7090`. Ignores entries that are not port numbers. */
export function parsePorts(text: unknown): readonly Range[] {
  return String(text ?? "")
    .split(",")
    .flatMap((part): Range[] => {
      const [from, to = from] = part.trim().split("-").map(Number);
      return from !== undefined && to !== undefined && from > 0 && to >= from ? [[from, to]] : [];
    });
}

/**
 * Returns the ports in the annotation `config.linkerd.io/opaque-ports`. If the annotation is missing, returns Linkerd's
 * default list.
 *
 * @param workload the workload with the annotation; the annotation can contain names of its container ports
 */
export function opaquePorts(annotations: Labels, workload?: Workload): readonly Range[] {
  const text = annotations[portKeys.opaque];
  const containers = workload === undefined ? [] : containersOf(workload).map(({ container }) => container);
  return text === undefined ? defaultRanges : withNames(text, containers);
}

const defaultRanges = parsePorts(defaultOpaquePorts);

/**
 * Parses a port list that can contain names of container ports (linkerd2, pkg/util/parsing.go,
 * ParseContainerOpaquePorts). Ignores entries that are neither port numbers nor such names.
 */
function withNames(text: unknown, containers: readonly unknown[]): readonly Range[] {
  const names = String(text ?? "").split(",");
  const named = names.flatMap((name) => portNumber(name.trim(), containers) ?? []);
  return [...parsePorts(text), ...named.map((port): Range => [port, port])];
}

/**
 * Whether the proxies of clients treat a port of a pod as opaque. The destination controller resolves the names of
 * container ports in the annotation `config.linkerd.io/opaque-ports`.
 */
export function isOpaqueForClients(pod: KubernetesObject, port: number): boolean {
  return includes(withNames(pod.metadata.annotations?.[portKeys.opaque], podContainers(pod)), port);
}

/**
 * Whether the policy controller treats a port of a pod as opaque if no Server selects the port. If one entry of the
 * annotation `config.linkerd.io/opaque-ports` is not a number or a range, the policy controller ignores all entries
 * (linkerd2, policy-controller/k8s/index/src/ports.rs, `ports_annotation`).
 */
export function isOpaqueForServer(pod: KubernetesObject, port: number): boolean {
  const entries = String(pod.metadata.annotations?.[portKeys.opaque] ?? "").split(",");
  const isValid = entries.every((entry) => entry.trim() === "" || parsePorts(entry).length === 1);
  return isValid && podLists(pod, portKeys.opaque, port);
}

/** Whether the port list in an annotation of a pod contains a port. */
export function podLists({ metadata }: KubernetesObject, key: string, port: number): boolean {
  return includes(parsePorts(metadata.annotations?.[key]), port);
}

export function includes(ranges: readonly Range[], port: number): boolean {
  return ranges.some(([from, to]) => port >= from && port <= to);
}

/**
 * Returns the number of a port that is specified by number or by the name of a container port. Returns null if no
 * container declares a port with that name.
 */
export function resolvePort(port: unknown, workload: Workload): number | null {
  return portNumber(
    port,
    containersOf(workload).map(({ container }) => container),
  );
}

/**
 * Whether the ports of a NetworkPolicy rule allow a TCP port. A rule without ports allows all ports.
 *
 * @param wanted the TCP port
 * @param isNamed returns whether a port name refers to the port `wanted` in the selected pod
 */
export function letsThrough(ports: unknown, wanted: number, isNamed: (name: string) => boolean): boolean {
  const list = listOf(ports);
  if (list.length === 0) return true;
  return list.map(asMap).some(({ port, endPort, protocol = "TCP" }) => {
    if (protocol !== "TCP") return false;
    if (port === undefined) return true;
    if (typeof port === "string") return isNamed(port);
    return wanted >= Number(port) && wanted <= Number(endPort ?? port);
  });
}
