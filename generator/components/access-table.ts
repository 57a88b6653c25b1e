import { linkerdRelease } from "../catalog/linkerd.ts";
import { meshedLabel } from "../catalog/well-known.ts";
import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { AttemptClient } from "../mesh/attempt.ts";
import { describedPod, isDescribedAsMeshed } from "../mesh/described-pod.ts";
import { evaluate } from "../mesh/evaluate.ts";
import { meshAnnotations } from "../mesh/namespace-settings.ts";
import { type Client, type PodSet, titleOf } from "../mesh/pod-set.ts";
import type { Model } from "./model.ts";

/** Whether a client reaches a port. `counted`: it does, and Linkerd counts and logs it because of the mode audit. */
type Access = "allowed" | "counted" | "refused";

/** One cell of the table: a client and a port. */
export interface AccessCell {
  readonly client: string;
  /** Set of pods, such as `shop/api`. */
  readonly server: string;
  /** Name of the port. */
  readonly key: string;
  readonly port: number;
  readonly access: Access;
  /** Port at which the connection arrives at the pod. */
  readonly arrivesAt: number;
  /** Decision of the NetworkPolicies: whether they admit the connection, and the names of those that decide. */
  readonly network: { readonly admits: boolean; readonly policies: readonly string[] };
  /** Decision of Linkerd: whether it admits the connection, and the object or reason that decides. */
  readonly mesh: { readonly admits: boolean; readonly by: string };
}

/** A client of the table. */
interface Row {
  readonly title: string;
  readonly from: AttemptClient;
}

/** Title of the row for meshed clients that no set lists. */
export const otherMeshed = "other meshed pods";
/** Title of the row for clients without a proxy. */
export const unmeshed = "pods without a proxy";

/**
 * Returns who reaches which port, for all pods with ports that an environment describes. The clients are the described
 * pods, the listed clients, other meshed pods, and pods without a proxy. The policies are those that meshops generates.
 * Requests on HTTP probe paths, and policies of others, are not considered.
 */
export function accessTable(model: Model): AccessCell[] {
  const sets = model.components.flatMap(({ pods }) => pods);
  const objects = model.components.flatMap((component) => Object.values(component.objects).flat());
  const installation = { release: linkerdRelease(model.environment.spec.linkerd.version) };
  return sets.flatMap((set) => {
    const to = describedPod(set, annotationsOf(model, set.namespace));
    return rowsFor(set, sets, model).flatMap(({ title, from }) =>
      Object.entries(set.ports)
        .filter(([, { transport = "TCP" }]) => transport === "TCP")
        .map(([key, { port }]): AccessCell => {
          const verdict = evaluate({ from, to, port }, objects, installation);
          const { network, mesh } = verdict;
          return {
            client: title,
            server: set.title,
            key,
            port,
            access: verdict.counted ? "counted" : verdict.admitted ? "allowed" : "refused",
            arrivesAt: network.port,
            network: { admits: network.admits, policies: network.admitting.length > 0 ? network.admitting : network.selecting },
            mesh: { admits: mesh.admits, by: mesh.by },
          };
        }),
    );
  });
}

/** Annotations of a namespace that the spec or a component declares; null for a namespace that the model does not know. */
function annotationsOf({ environment, components }: Model, namespace: string): StringMap | null {
  const declared = environment.spec.namespaces[namespace];
  if (declared !== undefined) return meshAnnotations(declared);
  const found = components
    .flatMap(({ objects }) => Object.values(objects).flat())
    .find(({ kind, metadata }) => kind === "Namespace" && metadata.name === namespace);
  return found === undefined ? null : (found.metadata.annotations ?? {});
}

function rowsFor(server: PodSet, sets: readonly PodSet[], model: Model): Row[] {
  const described = sets.map((set): Row => podRow(set, model));
  const listed = server.access.clients.flatMap((client) => rowOf(client, sets));
  const others = [
    { title: otherMeshed, from: pod("a-namespace", { namespace: "a-namespace", name: "an-account" }) },
    { title: unmeshed, from: pod("a-namespace", null) },
  ];
  return [...new Map([...described, ...listed, ...others].map((row) => [row.title, row])).values()];
}

function podRow(set: PodSet, model: Model): Row {
  const { labels = {} } = describedPod(set, annotationsOf(model, set.namespace)).metadata;
  const meshed = isDescribedAsMeshed(set, annotationsOf(model, set.namespace));
  const identity = meshed ? { namespace: set.namespace, name: set.serviceAccountName } : null;
  return { title: set.title, from: { namespace: set.namespace, labels, identity } };
}

/** Row of a listed client that is not a described set of pods. */
function rowOf(client: Client, sets: readonly PodSet[]): Row[] {
  const title = titleOf(client);
  if ("serviceAccountRef" in client) {
    const account = client.serviceAccountRef;
    const described = sets.some((set) => set.namespace === account.namespace && set.serviceAccountName === account.name);
    return described ? [] : [{ title, from: pod(account.namespace, account) }];
  }
  if ("namespace" in client) return [{ title, from: pod(client.namespace, { namespace: client.namespace, name: "an-account" }) }];
  if ("all" in client) return [];
  const [address = ""] = (client.cidrs[0] ?? "").split("/");
  const outside = { namespace: "", labels: {}, identity: null, address };
  return [{ title, from: client.onNode === true ? { ...outside, from: "node" } : outside }];
}

function pod(namespace: string, identity: AttemptClient["identity"]): AttemptClient {
  const labels: KubernetesObject["metadata"]["labels"] = identity === null ? {} : { [meshedLabel]: "linkerd" };
  return { namespace, labels, identity };
}
