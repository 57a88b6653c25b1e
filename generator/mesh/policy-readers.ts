import { at, listAt, mapAt } from "../kubernetes/object-fields.ts";
import { selects } from "../kubernetes/selectors.ts";
import type { Labels } from "../kubernetes/workload.ts";
import { asMap } from "../system/data.ts";
import { isSame } from "./reference-kind.ts";

/**
 * Whether the spec of a Server selects pods with the given labels. A Server with `externalWorkloadSelector` selects no
 * pods (linkerd2, policy-controller/k8s/index/src/inbound/index.rs, `Selector::Pod`). Ignores the namespace.
 */
export function serverSelects(spec: unknown, labels: Labels): boolean {
  const selector = at(spec, "podSelector");
  return selector !== undefined && selects(selector, labels);
}

/** Whether `parentRefs` in the spec of an HTTPRoute or a GRPCRoute contains a given Server. Ignores the namespace. */
export function isAttachedTo(routeSpec: unknown, server: string): boolean {
  return listAt(routeSpec, "parentRefs").some((parent) => isSame(at(parent, "kind"), "Server") && at(parent, "name") === server);
}

/**
 * Whether the spec of a ServerAuthorization refers to a Server, either by the Server's name or by its labels. Without a
 * name and a selector, the ServerAuthorization refers to all Servers (linkerd2,
 * policy-controller/k8s/index/src/inbound/server_authorization.rs, `ServerSelector`). Ignores the namespace.
 */
export function refersToServer(authorizationSpec: unknown, name: string, labels: Labels): boolean {
  const server = mapAt(authorizationSpec, "server");
  return server["name"] === undefined ? selects(server["selector"], labels) : server["name"] === name;
}

/**
 * A client in the spec of a MeshTLSAuthentication: one identity, one service account, or all service accounts of a
 * namespace.
 */
export interface ListedIdentity {
  readonly kind: "Identity" | "ServiceAccount" | "Namespace";
  /** Name of the service account or of the namespace, or the text of the identity. */
  readonly name: string;
  /** Namespace of the service account; empty for other kinds. */
  readonly namespace: string;
}

/**
 * Returns the clients in the spec of a MeshTLSAuthentication.
 *
 * @param namespace namespace of the MeshTLSAuthentication
 */
export function listedIdentities(spec: unknown, namespace: string): ListedIdentity[] {
  const texts = listAt(spec, "identities").map((each) => ({ kind: "Identity", name: String(each), namespace: "" }) as const);
  const references = listAt(spec, "identityRefs").map((each): ListedIdentity => {
    const { kind, name, namespace: own = namespace } = asMap(each);
    return isSame(kind, "Namespace")
      ? { kind: "Namespace", name: String(name), namespace: "" }
      : { kind: "ServiceAccount", name: String(name), namespace: String(own) };
  });
  return [...texts, ...references];
}
