import { proxyPrefix } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";
import { admitsMore } from "../../mesh/installation.ts";

/** Risks of changed mesh settings of a namespace. Pods read them when they are created. */
export function* namespaceRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind !== "Namespace" || change !== "changed") return;
  for (const field of fields) {
    if (field.path.includes("config.linkerd.io/default-inbound-policy")) yield ofPolicy(name, field);
    else if (field.path.includes("linkerd.io/inject"))
      yield {
        risk: field.after === "disabled" || field.after === undefined ? "narrower-access" : "rollout",
        reason:
          field.after === "disabled" || field.after === undefined
            ? `new pods in namespace ${name} get no proxy and no identity, so policies refuse their calls; running pods keep their proxies until they restart`
            : `new pods in namespace ${name} get a proxy; running pods do not change until they restart`,
      };
    else if (field.path.includes(proxyPrefix))
      yield { risk: "rollout", reason: `pods in namespace ${name} use the new proxy settings after their next restart` };
  }
}

function ofPolicy(name: string, { before, after }: FieldChange): Assessment {
  return admitsMore(after, before)
    ? {
        risk: "wider-access",
        reason: `after their next restart, pods in namespace ${name} admit more clients to ports without a Server`,
      }
    : {
        risk: "narrower-access",
        reason: `after their next restart, pods in namespace ${name} refuse clients that they admit now, on ports without a Server`,
      };
}
