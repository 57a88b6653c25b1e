import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt, mapAt } from "../kubernetes/object-fields.ts";
import { asMap, groupBy, groupByEach } from "../system/data.ts";
import { isServerOf } from "./inbound-policy.ts";

/**
 * Finds the Linkerd policies that can affect the connections to a pod, without reading all policies for each pod. With
 * this index, the time for a stream of workloads and their policies is linear in the size of the stream.
 */
export class PolicyIndex {
  readonly #position: ReadonlyMap<KubernetesObject, number>;
  readonly #servers: ReadonlyMap<string, readonly KubernetesObject[]>;
  readonly #routes: ReadonlyMap<string, readonly KubernetesObject[]>;
  readonly #byTarget: ReadonlyMap<string, readonly KubernetesObject[]>;
  readonly #older: ReadonlyMap<string, readonly KubernetesObject[]>;
  readonly #authentications: ReadonlyMap<string, readonly KubernetesObject[]>;

  /** @param objects Servers, routes, authorizations and authentications; ignores objects of other kinds */
  constructor(objects: readonly KubernetesObject[]) {
    const ofKind = (kinds: RegExp): KubernetesObject[] => objects.filter(({ kind }) => kinds.test(kind));
    this.#position = new Map(objects.map((object, index) => [object, index]));
    this.#servers = groupBy(ofKind(/^Server$/), (server) => keyOf(namespaceOf(server), firstLabel(server)));
    this.#routes = groupByEach(ofKind(/^(HTTP|GRPC)Route$/), (route) =>
      listAt(route, "spec", "parentRefs").map((parent) => keyOf(namespaceOf(route), String(at(parent, "name")))),
    );
    this.#byTarget = groupBy(ofKind(/^AuthorizationPolicy$/), (policy) => {
      const { kind, name } = mapAt(policy, "spec", "targetRef");
      return keyOf(namespaceOf(policy), String(kind).toLowerCase(), String(name));
    });
    this.#older = groupBy(ofKind(/^ServerAuthorization$/), namespaceOf);
    this.#authentications = groupBy(ofKind(/Authentication$/), (object) =>
      keyOf(object.kind.toLowerCase(), namespaceOf(object), object.metadata.name),
    );
  }

  /**
   * Returns the policies that can affect the connections to a pod. The policies have the same order as in the parameter
   * of the constructor.
   */
  affecting(pod: KubernetesObject): KubernetesObject[] {
    const namespace = namespaceOf(pod);
    const labels = Object.entries(pod.metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const servers = ["", ...labels]
      .flatMap((label) => this.#servers.get(keyOf(namespace, label)) ?? [])
      .filter((server) => isServerOf(server, pod));
    const routes = servers.flatMap(({ metadata }) => this.#routes.get(keyOf(namespace, metadata.name)) ?? []);
    const targets = [...servers, ...routes].map(({ kind, metadata }) => keyOf(namespace, kind.toLowerCase(), metadata.name));
    const policies = [...targets, keyOf(namespace, "namespace", namespace)].flatMap((key) => this.#byTarget.get(key) ?? []);
    const found = [...servers, ...routes, ...policies, ...(this.#older.get(namespace) ?? []), ...this.#required(policies)];
    const order = (object: KubernetesObject): number => this.#position.get(object) ?? 0;
    return [...new Set(found)].sort((a, b) => order(a) - order(b));
  }

  /** Returns the authentications that at least one of the given AuthorizationPolicies requires. */
  #required(policies: readonly KubernetesObject[]): KubernetesObject[] {
    return policies.flatMap((policy) =>
      listAt(policy, "spec", "requiredAuthenticationRefs").flatMap((reference) => {
        const { kind, name, namespace = namespaceOf(policy) } = asMap(reference);
        return this.#authentications.get(keyOf(String(kind).toLowerCase(), String(namespace), String(name))) ?? [];
      }),
    );
  }
}

function namespaceOf({ metadata }: KubernetesObject): string {
  return metadata.namespace ?? "";
}

function keyOf(...parts: readonly string[]): string {
  return parts.join("|");
}

/**
 * Returns the first label of a Server's `matchLabels`, as `<key>=<value>`. If the Server has no `matchLabels`, the
 * result is empty.
 */
function firstLabel(server: KubernetesObject): string {
  const [first] = Object.entries(mapAt(server, "spec", "podSelector", "matchLabels"));
  return first === undefined ? "" : `${first[0]}=${String(first[1])}`;
}
