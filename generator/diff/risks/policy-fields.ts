import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";
import { at } from "../../kubernetes/object-fields.ts";

/**
 * Yields the risks of the changed fields of a policy. `admissionChanges` assesses changes of the clients that a policy
 * admits.
 */
export function* fieldRisks({ kind, fields, after }: ChangedObject, environment: string): Iterable<Assessment> {
  const isAudited = kind === "Server" && at(after, "spec", "accessPolicy") === "audit";
  for (const field of fields) yield* byField(field, kind, environment, isAudited);
}

/** @param isAudited whether the policy is a Server that admits all clients and counts them */
function* byField(
  { path, before, after }: FieldChange,
  kind: string,
  environment: string,
  isAudited: boolean,
): Iterable<Assessment> {
  if (path === "spec.accessPolicy" && [before, after].includes("audit")) {
    yield after === "audit"
      ? {
          risk: "wider-access",
          reason:
            "Linkerd now admits all clients at the port of this Server, and counts the requests of clients that the spec does not list",
        }
      : {
          risk: "narrower-access",
          reason:
            "at the port of this Server, Linkerd now refuses clients that the spec does not list. Until now, Linkerd admitted these clients and counted their requests",
          prerequisites: [
            {
              phase: "before",
              text: "Before you push, check which clients connect although the spec does not list them. After the push, Linkerd refuses these clients (meshops help workloads, “From audit to enforce”).",
              command: `meshops status ${environment}`,
            },
          ],
        };
  } else if (path === "spec.proxyProtocol" && ![before, after].every((each) => each === "unknown" || each === "opaque"))
    // A change between `unknown` and `opaque` is not reported, because a port with the protocol `unknown` also accepts
    // opaque connections.
    yield {
      risk: "narrower-access",
      reason: `the proxies treat connections to the port of this Server as ${String(after)}. Requests of another protocol fail. On an opaque port, Linkerd refuses httpGet probes`,
    };
  else if (/^spec\.podSelector/.test(path)) yield otherPods(kind, before, after);
  else if (path === "spec.port" && isAudited)
    yield {
      risk: "wider-access",
      reason: `Linkerd now admits all clients at port ${String(after)} instead of port ${String(before)}, and counts the requests of clients that the spec does not list`,
    };
  else if (path === "spec.port")
    yield {
      risk: "narrower-access",
      reason: `this Server now protects port ${String(after)} instead of port ${String(before)}. Clients that the policies of this Server do not admit lose access to port ${String(after)}. The default inbound policy now applies to port ${String(before)}, so additional clients can gain access to port ${String(before)}`,
    };
  else if (/^spec\.(targetRef|accessPolicy|policyTypes)/.test(path))
    yield {
      risk: "wider-access",
      reason: `${path} changes. This object can then allow additional clients or connections`,
    };
  else if (/^spec\.requiredAuthenticationRefs\[\]/.test(path)) yield otherAuthentication(before, after);
}

/**
 * Assesses a change of the authentications that a policy requires: one authentication is added, removed or replaced.
 */
function otherAuthentication(before: unknown, after: unknown): Assessment {
  const nameOf = (reference: unknown): string => String(at(reference, "name") ?? reference);
  if (before === undefined)
    return { risk: "narrower-access", reason: `this AuthorizationPolicy now also requires the authentication ${nameOf(after)}` };
  return {
    risk: "wider-access",
    reason:
      after === undefined
        ? `this AuthorizationPolicy no longer requires the authentication ${nameOf(before)}`
        : `this AuthorizationPolicy now requires the authentication ${nameOf(after)} instead of ${nameOf(before)}`,
  };
}

/** Assesses a change of one label in the selector of a policy. The label is added, removed, or gets another value. */
function otherPods(kind: string, before: unknown, after: unknown): Assessment {
  if (after === undefined)
    return {
      risk: "narrower-access",
      reason: `the podSelector of this ${kind} now contains fewer labels, so this ${kind} can select additional pods. Only clients that a policy explicitly allows can still connect to these pods`,
    };
  const unprotected = `This ${kind} does not protect the pods that it no longer selects. All clients can connect to these pods, except clients that another policy refuses`;
  return {
    risk: before === undefined ? "wider-access" : "narrower-access",
    reason:
      before === undefined
        ? `this ${kind} now selects fewer pods. ${unprotected}`
        : `this ${kind} now selects other pods. Only clients that a policy explicitly allows can connect to the pods that are now selected. ${unprotected}`,
  };
}
