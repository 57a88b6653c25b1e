import type { Assessment, ChangedObject, ChangeSet } from "../../components/change-rule.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import { asMap } from "../../system/data.ts";
import { admissionChanges, policyRequiring } from "./admitted.ts";
import { fieldRisks } from "./policy-fields.ts";
import { effect, isMoved, isRenamed, renamedPolicies, stateOf } from "./policy-renames.ts";

/** Risks of changes to NetworkPolicies and Linkerd's policy resources. */
export function* accessRisks(changed: ChangedObject, changes: ChangeSet): Iterable<Assessment> {
  const { objects: all } = changes;
  const { kind, change } = changed;
  const does = effect.get(kind);
  if (does === undefined) return;
  if (change !== "changed" && /^proxy-metrics(-probes)?$/.test(changed.name)) {
    yield {
      risk: "harmless",
      reason:
        change === "added"
          ? "Prometheus can read the metrics of the proxies in this namespace, regardless of the default inbound policy. At the admin port (4191), a proxy accepts only requests for metrics and probes"
          : "this object is removed, so the default inbound policy applies to the admin port (4191) of the proxies in this namespace",
    };
    return;
  }
  if (does === "opens" && change !== "changed" && serverOf(changed, all)?.change === change) {
    yield { risk: "harmless", reason: `this object is ${change} together with its Server` };
    return;
  }
  if (does === "closes" && change !== "changed" && isRenamed(changed, all)) {
    yield change === "added"
      ? { risk: "harmless", reason: "this object replaces an object with another name" }
      : renamedPolicies(changes, kind);
    return;
  }
  if (kind === "Server" && change !== "changed" && at(stateOf(changed), "spec", "accessPolicy") === "audit") {
    yield change === "added"
      ? {
          risk: "harmless",
          reason:
            "Linkerd admits all clients at the port of this Server, and counts the requests of clients that the spec does not list. Clients that the default inbound policy of the pods refused until now gain access",
        }
      : unaudited(changed, changes);
    return;
  }
  if (does === "closes" && change !== "changed" && isMoved(changed, all)) {
    yield change === "added"
      ? { risk: "harmless", reason: "this object replaces an object with another name or namespace" }
      : {
          risk: "wider-access",
          reason:
            "an object with another name or namespace replaces this object. The new object does not protect the old pods: all clients can connect to the old pods until these pods stop",
        };
    return;
  }
  if (change === "changed") {
    yield* admissionChanges(changed, all);
    yield* fieldRisks(changed, changes.environment);
  } else yield byPresence(kind, does, change);
}

/** Assesses the removal of a Server with `accessPolicy: audit`. A Server with this policy admits all clients. */
function unaudited({ namespace }: ChangedObject, { specs }: ChangeSet): Assessment {
  const { after } = specs;
  const policy = after === null ? null : defaultPolicyIn(namespace, after);
  return policy === "all-unauthenticated" || policy === "audit"
    ? {
        risk: "harmless",
        reason: `this Server is removed, so the default inbound policy ${policy} applies to the port of the Server. Like the Server, this policy admits all clients. Linkerd no longer counts the requests of clients that the spec does not list`,
      }
    : {
        risk: "narrower-access",
        reason:
          "this Server is removed, so the default inbound policy of the pods applies to the port of the Server. Clients that the default inbound policy does not admit lose access",
      };
}

/**
 * Returns the Server of a changed object; undefined if the Server does not change. The Server of an AuthorizationPolicy
 * is its target. The Server of an authentication is the target of the AuthorizationPolicy that requires the
 * authentication.
 */
function serverOf(changed: ChangedObject, all: readonly ChangedObject[]): ChangedObject | undefined {
  if (changed.kind === "Server") return changed;
  const { targetRef } = asMap(stateOf(changed)["spec"]);
  const named = (kind: string, name: unknown): ChangedObject | undefined =>
    all.find((other) => other.kind === kind && other.name === name && other.namespace === changed.namespace);
  if (targetRef !== undefined) return named("Server", at(targetRef, "name"));
  const policy = policyRequiring(changed, all);
  return policy === undefined ? undefined : serverOf(policy, all);
}

function byPresence(kind: string, does: "opens" | "closes", change: "added" | "removed"): Assessment {
  const target = kind === "Server" ? "the port of this Server" : `the pods that this ${kind} selects`;
  if (does === "closes")
    return change === "added"
      ? { risk: "narrower-access", reason: `only clients that a policy explicitly allows can connect to ${target}` }
      : { risk: "wider-access", reason: `this object is removed and no longer restricts connections to ${target}` };
  return change === "added"
    ? { risk: "wider-access", reason: "this object allows additional clients" }
    : { risk: "narrower-access", reason: "this object is removed. Clients that only this object allows lose access" };
}
