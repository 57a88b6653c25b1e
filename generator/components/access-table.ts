import { injectKey, portKeys } from "../catalog/well-known.ts";
import type { StringMap } from "../kubernetes/object.ts";
import { type AccessCell, type AccessClient, type AccessPods, accessCells, clientPod } from "../mesh/access-cells.ts";
import { describedPod, isDescribedAsMeshed } from "../mesh/described-pod.ts";
import { installationOf } from "../mesh/installation.ts";
import { declaredAnnotations } from "../mesh/namespace-settings.ts";
import { type Client, hasAccount, type PodSet, titleOf } from "../mesh/pod-set.ts";
import { generatedObjects, type Model, podSetsIn } from "./model.ts";

/**
 * Returns one cell for each pair of a client and a port. The ports are the TCP ports of the sets of pods in the
 * environment. Each cell shows whether the client can connect to the port. The function evaluates only policies that
 * meshops generates. It ignores the policies of charts and of other tools.
 *
 * @param options.other another state of the environment; the result also contains cells for the clients that only this
 * state lists
 * @param options.policies state of the environment from which the policies are taken; null for no policies. Default:
 * `model`
 */
export function accessTable(
  model: Model,
  { other = null, policies = model }: { readonly other?: Model | null; readonly policies?: Model | null } = {},
): AccessCell[] {
  const sets = podSetsIn(model);
  const objects = policies === null ? [] : generatedObjects(policies.components);
  const others = other === null ? [] : podSetsIn(other);
  // Sets of pods that have no proxy in the other state. These pods therefore have no identity.
  const unmeshed = others.filter(
    (set) => other !== null && !isDescribedAsMeshed(set, namespaceAnnotations(other, set.namespace)),
  );
  const pods = sets.map((set) =>
    podsOf(
      set,
      others.find(({ title }) => title === set.title),
      [...sets, ...unmeshed],
      model,
    ),
  );
  return accessCells(pods, objects, installationOf((policies ?? model).environment));
}

function podsOf(set: PodSet, other: PodSet | undefined, sets: readonly PodSet[], model: Model): AccessPods {
  const annotations = namespaceAnnotations(model, set.namespace);
  const pod = describedPod(set, annotations);
  const { labels = {}, annotations: own = {} } = pod.metadata;
  const skippedOutbound = own[portKeys.skipOutbound] ?? "";
  const meshed = isDescribedAsMeshed(set, annotations);
  const identity = meshed ? { namespace: set.namespace, name: set.serviceAccountName } : null;
  const tcp = Object.entries(set.ports).filter(([, { transport = "TCP" }]) => transport === "TCP");
  return {
    title: set.title,
    from: { namespace: set.namespace, labels, identity, skippedOutbound },
    pod,
    ports: tcp.map(([key, { port }]) => ({ key, port })),
    listed: [...set.access.clients, ...(other?.access.clients ?? [])].flatMap((client) => outside(client, sets, model)),
  };
}

/**
 * Returns the annotations that the spec or a component declares for a namespace. Returns null if neither the spec nor a
 * component declares the namespace. Also returns null if another tool manages the namespace, and the spec does not
 * declare whether proxies are injected in the namespace.
 */
export function namespaceAnnotations(
  { environment, components }: Pick<Model, "environment" | "components">,
  namespace: string,
): StringMap | null {
  const declared = environment.spec.namespaces[namespace];
  if (declared !== undefined) return declaredAnnotations(declared);
  const found = generatedObjects(components).find(({ kind, metadata }) => kind === "Namespace" && metadata.name === namespace);
  return found === undefined ? null : (found.metadata.annotations ?? {});
}

/**
 * Returns a list with the client if the spec does not describe the pods of the client. Returns an empty list if the
 * spec describes these pods, or if the entry admits clients of all namespaces (`all`).
 */
function outside(client: Client, sets: readonly PodSet[], model: Model): AccessClient[] {
  const title = titleOf(client);
  if ("serviceAccountRef" in client) {
    const account = client.serviceAccountRef;
    const described = sets.some((set) => hasAccount(set, account));
    // If the spec does not describe the pods of the account, the annotation of their namespace shows whether they have
    // a proxy.
    const unmeshed = namespaceAnnotations(model, account.namespace)?.[injectKey] === "disabled";
    return described ? [] : [{ title, from: clientPod(account.namespace, unmeshed ? null : account) }];
  }
  if ("namespace" in client)
    return [{ title, from: clientPod(client.namespace, { namespace: client.namespace, name: "an-account" }) }];
  if ("all" in client) return [];
  const [address = ""] = (client.cidrs[0] ?? "").split("/");
  const from = { namespace: "", labels: {}, identity: null, address };
  return [{ title, from: client.onNode === true ? { ...from, from: "node" } : from }];
}
