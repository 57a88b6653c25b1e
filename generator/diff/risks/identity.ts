import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";
import { certificatesIn, fingerprint } from "../../identity/pem.ts";

/** Trust anchors, the issuer, and the certificates of webhooks. */
export function* identityRisks({ kind, name, fields, change }: ChangedObject): Iterable<Assessment> {
  if (change === "removed" && kind === "ConfigMap" && name === "meshops-identity")
    yield { risk: "trust-anchor", reason: "nothing says any more whom the mesh believes" };
  if (change !== "changed") return;
  for (const field of fields) {
    const key = field.path.split(/[."]+/).filter(Boolean).slice(-2).join(".");
    if (field.path.endsWith("identityTrustAnchorsPEM") || (kind === "ConfigMap" && key === "trust-anchors.crt"))
      yield ofAnchors(field);
    else if (kind === "ConfigMap" && key === "issuer.crt")
      yield {
        risk: "trust-anchor",
        reason: "another issuer signs the proxies' certificates; those signed before hold for up to 24 hours",
      };
    else if (field.path.endsWith("identityTrustDomain"))
      yield {
        risk: "trust-anchor",
        reason: "every identity gets another name: until all pods have restarted, policies refuse the one half of them",
      };
    else if (field.path.endsWith("caBundle") || (kind === "ConfigMap" && key === "webhook-ca.crt"))
      yield {
        risk: "webhook-policy",
        reason: `the API server believes another CA of ${kind === "ConfigMap" ? "the webhooks" : name}: their certificates must change with it`,
      };
  }
}

/** What the change of a trust bundle means: an anchor more, an anchor less, or another. */
function ofAnchors({ before, after }: FieldChange): Assessment {
  const [old, young] = [before, after].map((pem) => certificatesIn(String(pem ?? "")).map(fingerprint));
  const gone = (old ?? []).filter((anchor) => !young?.includes(anchor)).length;
  const come = (young ?? []).filter((anchor) => !old?.includes(anchor)).length;
  if (gone === 0 && come === 0) return { risk: "harmless", reason: "the same trust anchors, written otherwise" };
  if (gone === 0)
    return {
      risk: "trust-anchor",
      reason: "one more trust anchor is believed: the first step of a rotation; all meshed pods restart to learn of it",
    };
  if (come === 0)
    return {
      risk: "trust-anchor",
      reason:
        "a trust anchor is believed no longer: whoever still has a certificate of it is refused (identity status says whether all have changed)",
    };
  return {
    risk: "trust-anchor",
    reason:
      "the trust anchor is replaced at once: pods of the old and of the new do not talk to each other until all have restarted; `meshops identity rotate-anchor` needs no such gap",
  };
}
