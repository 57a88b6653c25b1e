import { linkerdRelease } from "../../catalog/linkerd.ts";
import { type Assessment, type ChangedObject, type ChangeSet, type Step, sharedPush } from "../../components/change-rule.ts";
import { suspendFirst } from "../../components/flux-commands.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { groupBy } from "../../system/data.ts";

/**
 * Effect of an object, by kind. `opens`: the object admits clients. `closes`: clients that no policy admits cannot
 * connect to the pods that the object selects.
 */
export const effect: ReadonlyMap<string, "opens" | "closes"> = new Map([
  ["NetworkPolicy", "closes"],
  ["Server", "closes"],
  ["AuthorizationPolicy", "opens"],
  ["MeshTLSAuthentication", "opens"],
  ["NetworkAuthentication", "opens"],
]);

/**
 * Whether an added or removed object is only renamed. An added object is renamed if the change also removes an object
 * of the same kind, for the same pods, and with another name. A removed object is renamed if the change also adds such
 * an object. For a Server, the port must also be the same.
 */
export function isRenamed(changed: ChangedObject, all: readonly ChangedObject[]): boolean {
  const scope = (state: ChangedObject["before"]): string =>
    JSON.stringify([at(state, "spec", "podSelector"), at(state, "spec", "port")]);
  const opposite = changed.change === "added" ? "removed" : "added";
  return all.some(
    (other) =>
      other.kind === changed.kind &&
      other.change === opposite &&
      other.namespace === changed.namespace &&
      other.name !== changed.name &&
      scope(stateOf(other)) === scope(stateOf(changed)),
  );
}

/**
 * Assesses policies whose names change because the name of their workload, set of pods or port changes. If the name of
 * the workload changes, Flux deletes the old Kustomization and applies the new Kustomization in no fixed order.
 */
export function renamedPolicies({ environment, objects, specs }: ChangeSet, kind: string): Assessment {
  const old = objects.filter(
    ({ kind, change, before }) =>
      kind === "Kustomization" && change === "removed" && /\/policies\/[^/]+$/.test(String(at(before, "spec", "path"))),
  );
  const rejected = rejectsSecondServer(specs.before);
  if (old.length === 0)
    return kind === "NetworkPolicy" || !rejected
      ? {
          risk: "harmless",
          reason: "an object with another name replaces this object. Flux creates the new object before it deletes this object",
        }
      : {
          risk: "stalled-rollout",
          reason:
            "a Server with another name replaces this Server for the same pods and port. Flux deletes the old Server only after it has applied the new Server. While the old Server exists, Linkerd can reject the new Server, because both Servers select the same port of the same pods",
          steps: [
            {
              text: "In a first commit, set access: off for this port. Until you remove access: off, the NetworkPolicy admits all clients to the port, and the default inbound policy applies. With the default inbound policy all-unauthenticated, pods without a proxy can also connect.",
            },
            {
              text: "Push the commit, and wait until Flux has applied the commit.",
              phase: "push",
              command: `meshops status ${environment} --watch`,
            },
            {
              text: "In a second commit, change the name (of the workload, of the pods or of the port), and remove access: off. Then push.",
              phase: "push",
            },
          ],
        };
  const removed = objects.filter((each) => each.change === "removed" && effect.has(each.kind));
  const networkPolicies = deletions(
    removed.filter((policy) => policy.kind === "NetworkPolicy"),
    (namespace) => `Delete the old NetworkPolicies in namespace ${namespace}.`,
  );
  const others = deletions(
    removed.filter((policy) => policy.kind !== "NetworkPolicy"),
    (namespace) =>
      rejected
        ? `Delete the old Servers in namespace ${namespace}, because Linkerd rejects a second Server for the same port. Until the new Servers exist, all clients that the NetworkPolicies admit can connect.`
        : `Delete the old Servers and their policies in namespace ${namespace}. If two Servers select the same port, Linkerd uses only the older Server. The new Servers therefore take effect only after this deletion.`,
  );
  const wait: Step = {
    text: "Wait until Flux has applied the new policies.",
    command: `meshops status ${environment} --watch`,
  };
  return {
    risk: "wider-access",
    reason:
      "an object with another name replaces this object. If you push without the following steps, Flux deletes the old objects and creates the new objects in no fixed order. While no policy exists, all clients can connect",
    steps: [
      suspendFirst("the old Kustomization", old),
      ...(rejected ? [...others, sharedPush, wait] : [sharedPush, wait, ...others]),
      ...networkPolicies,
    ],
  };
}

/** Returns the steps in which the user deletes policies, one step per namespace. */
function deletions(policies: readonly ChangedObject[], text: (namespace: string) => string): Step[] {
  return [...groupBy(policies, ({ namespace }) => namespace)].map(([namespace, own]) => ({
    text: text(namespace),
    command: `kubectl delete --namespace ${namespace} ${own.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`).join(" ")}`,
  }));
}

/**
 * Whether the policy controller rejects a second Server for the same port of the same pods. The policy controller of
 * stable-2.14.10 rejects the second Server. The policy controllers of the edge releases in the catalog accept it
 * (linkerd2, policy-controller/src/admission.rs, `overlaps`).
 */
function rejectsSecondServer(spec: Environment | null): boolean {
  return spec === null || linkerdRelease(spec.spec.linkerd.version).channel === "stable";
}

/**
 * Whether an added or removed object is only moved. An added object is moved if the change also removes an object of
 * the same kind whose name is the same, or differs only in the name of the Helm release. A removed object is moved if
 * the change also adds such an object.
 */
export function isMoved({ kind, name, change }: ChangedObject, all: readonly ChangedObject[]): boolean {
  const releases = all.flatMap(({ fields }) => fields.filter(({ path }) => path === "spec.releaseName"));
  const names = releases.map(({ before, after }) =>
    change === "added" ? name.replace(`${after}-`, `${before}-`) : name.replace(`${before}-`, `${after}-`),
  );
  const opposite = change === "added" ? "removed" : "added";
  return all.some((other) => other.kind === kind && other.change === opposite && [name, ...names].includes(other.name));
}

export function stateOf({ change, before, after }: ChangedObject): ChangedObject["before"] {
  return change === "removed" ? before : after;
}
