import { specOf } from "../kubernetes/manifest-set.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { type Account, guard } from "../mesh/authorization.ts";
import { allow, arrivalPorts, fromViz, ingressPolicy, meshedPods } from "../mesh/network-policy.ts";
import { asMap, groupBy } from "../system/data.ts";
import type { Addition } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import type { WorkloadPorts } from "./ports.ts";

type Spec = MeshInjection["spec"];
type Client = NonNullable<Spec["clients"]>[number];

/** Says of what an injection adds for which workload it is, `Deployment/web`: by it a later run knows its own. */
export const forKey = "meshops.dev/injection-for";

/** Who may talk to a workload, said to the network and to the mesh; nothing where the configuration names no clients. */
export function policiesFor(workload: Workload, ports: WorkloadPorts, { spec }: MeshInjection): Addition[] {
  const { clients } = spec;
  if (clients === undefined || !isSelectable(workload)) return [];
  const objects = [
    ...(spec.networkPolicy ? [networkPolicy(workload, ports, clients, spec)] : []),
    ...(spec.authorization ? ports.listening.flatMap((port) => guardPort(workload, port, ports, clients)) : []),
  ];
  return objects.map((object) => ({ object, beside: workload.manifest }));
}

function networkPolicy(workload: Workload, ports: WorkloadPorts, clients: readonly Client[], spec: Spec): KubernetesObject {
  const rules = [...groupBy(clients, ({ namespace }) => namespace)].flatMap(([namespace, own]) => {
    const usable = (port: number): boolean => own.some((client) => mayUse(client, port));
    const [used, udp] = [ports.listening.filter(usable), ports.udp.filter(usable)];
    // The proxy's own port is the way to every port: it is nobody's who may use none of this workload.
    const some = used.length > 0 || own.some((client) => client.ports === undefined);
    const tcp = some ? [...arrivalPorts(used, ports.track), ...used.filter(ports.skipsInbound)] : [];
    return tcp.length + udp.length === 0 ? [] : [allow([meshedPods(namespace)], new Set(tcp), udp)];
  });
  return ingressPolicy(metadata(workload, "mesh"), podSelector(workload), [...rules, ...(spec.viz ? fromViz() : [])]);
}

/** What skips the proxy is beyond its authorization. */
function guardPort(workload: Workload, port: number, ports: WorkloadPorts, clients: readonly Client[]): KubernetesObject[] {
  if (ports.skipsInbound(port)) return [];
  const accounts: Account[] = clients.filter((client) => mayUse(client, port));
  const protocol = ports.isOpaque(port) ? "opaque" : "unknown";
  const own = { metadata: metadata(workload, String(port)), podSelector: podSelector(workload) };
  return guard({ ...own, port, protocol, accounts }, ports.track);
}

function mayUse({ ports }: Client, port: number): boolean {
  return ports === undefined || ports.includes(port);
}

/** Whether a policy can name a workload's pods. An empty selector would be every pod of the namespace. */
export function isSelectable(workload: Workload): boolean {
  return Object.values(podSelector(workload)).some((part) => part !== null && Object.keys(part as object).length > 0);
}

/**
 * What selects a workload's pods: its own selector, which no upgrade may change; where there is none, their labels, or the one that
 * Kubernetes gives a Job's pods (1.27 and later).
 */
function podSelector({ manifest, labels }: Workload): JsonMap {
  const own = asMap(specOf(manifest)["selector"]);
  if (Object.keys(own).length > 0) return own as JsonMap;
  const named = asMap(manifest.value["metadata"])["name"] !== undefined;
  const byName = manifest.kind === "Job" && named ? { "batch.kubernetes.io/job-name": manifest.name } : {};
  return { matchLabels: { ...byName, ...labels } as JsonMap };
}

function metadata({ manifest }: Workload, part: string): KubernetesObject["metadata"] {
  const { kind, name, namespace } = manifest;
  return {
    name: `${name.replace(/-$/, "")}-${part}`,
    ...(namespace === "" ? {} : { namespace }),
    labels: { "app.kubernetes.io/managed-by": "meshops" },
    annotations: { [forKey]: `${kind}/${name}` },
  };
}
