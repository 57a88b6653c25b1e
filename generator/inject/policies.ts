import { type LinkerdTrack, linkerdTrack } from "../catalog/linkerd.ts";
import { asMap, groupBy } from "../data.ts";
import { type Account, guard } from "../mesh/authorization.ts";
import { allow, arrivalPorts, fromViz, ingressPolicy, meshedPods } from "../mesh/network-policy.ts";
import type { JsonMap, KubernetesObject } from "../model.ts";
import { resolvePort } from "../review/ports.ts";
import { type Stream, specOf } from "../review/stream.ts";
import { containersOf, listOf, type Workload } from "../review/workload.ts";
import type { Addition } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

type Spec = MeshInjection["spec"];
type Client = NonNullable<Spec["clients"]>[number];

/** Labels of what the injection adds; by them a second run knows its own. */
export const ownLabels = { "app.kubernetes.io/managed-by": "meshops" } as const;

/** Who may talk to a workload, said to the network and to the mesh; nothing where the configuration names no clients. */
export function policiesFor(workload: Workload, stream: Stream, { spec }: MeshInjection): Addition[] {
  const { clients } = spec;
  if (clients === undefined) return [];
  const track = linkerdTrack(spec.linkerd);
  const ports = listeningPorts(workload, stream);
  const objects = [
    ...(spec.networkPolicy ? [networkPolicy(workload, ports, clients, spec, track)] : []),
    ...(spec.authorization ? ports.flatMap((port) => guardPort(workload, port, clients, spec, track)) : []),
  ];
  return objects.map((object) => ({ object, beside: workload.manifest }));
}

/** TCP ports that a workload's containers declare, or that a Service sends to them; sorted. */
export function listeningPorts(workload: Workload, stream: Stream): number[] {
  const declared = containersOf(workload)
    .flatMap(({ container }) => listOf(container["ports"]).map(asMap))
    .filter(({ protocol = "TCP" }) => protocol === "TCP")
    .map(({ containerPort }) => Number(containerPort));
  const targets = stream
    .ofKind("", "Service")
    .filter((service) => stream.behind(service).some(({ manifest }) => manifest === workload.manifest))
    .flatMap((service) => listOf(specOf(service)["ports"]).map(asMap))
    .filter(({ protocol = "TCP" }) => protocol === "TCP")
    .flatMap(({ port, targetPort = port }) => resolvePort(targetPort, workload) ?? []);
  return [...new Set([...declared, ...targets])].filter((port) => port > 0).sort((a, b) => a - b);
}

function networkPolicy(
  workload: Workload,
  ports: readonly number[],
  clients: readonly Client[],
  spec: Spec,
  track: LinkerdTrack,
): KubernetesObject {
  const rules = [...groupBy(clients, ({ namespace }) => namespace)].map(([namespace, own]) => {
    const used = ports.filter((port) => own.some((client) => mayUse(client, port)));
    const direct = used.filter((port) => spec.skipInboundPorts.includes(port));
    return allow([meshedPods(namespace)], new Set([...arrivalPorts(used, track), ...direct]));
  });
  return ingressPolicy(metadata(workload, "mesh"), podSelector(workload), [...rules, ...(spec.viz ? fromViz() : [])]);
}

/** What skips the proxy is beyond its authorization. */
function guardPort(
  workload: Workload,
  port: number,
  clients: readonly Client[],
  spec: Spec,
  track: LinkerdTrack,
): KubernetesObject[] {
  if (spec.skipInboundPorts.includes(port)) return [];
  const accounts: Account[] = clients.filter((client) => mayUse(client, port));
  const protocol = spec.opaquePorts.includes(port) ? "opaque" : "unknown";
  const own = { metadata: metadata(workload, String(port)), podSelector: podSelector(workload) };
  return guard({ ...own, port, protocol, accounts }, track);
}

function mayUse({ ports }: Client, port: number): boolean {
  return ports === undefined || ports.includes(port);
}

/** What selects a workload's pods: its own selector, which no upgrade may change; a Pod's or a Job's labels where there is none. */
function podSelector({ manifest, labels }: Workload): JsonMap {
  const own = asMap(specOf(manifest)["selector"]);
  return (Object.keys(own).length > 0 ? own : { matchLabels: labels }) as JsonMap;
}

function metadata({ manifest: { name, namespace } }: Workload, part: string): KubernetesObject["metadata"] {
  return { name: `${name}-${part}`, ...(namespace === "" ? {} : { namespace }), labels: ownLabels };
}
