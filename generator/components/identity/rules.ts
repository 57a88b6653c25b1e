import { rotationLead, toHours } from "../../spec/duration.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules for the validity of certificates. */
export const identityRules: readonly Rule[] = [
  {
    code: "identity-issuer-outlives-anchor",
    severity: "error",
    title: "The validity of the issuer is longer than the validity of the trust anchor",
    why: "When a CA certificate expires, all certificates that the CA has signed become invalid too (RFC 5280, section 6.1). When the trust anchor expires, the mesh stops, even if the issuer's certificate has not expired.",
    fix: "Shorten `issuerValidity`, or lengthen `anchorValidity`.",
    check: issuerWithinAnchor,
  },
  {
    code: "identity-validity-short",
    severity: "warning",
    title: "The validity of a certificate is too short for a rotation",
    why:
      `The weekly check in CI runs \`meshops identity status --fail-within ${rotationLead}\`. If a certificate is valid for less than ${rotationLead}, this check always fails, even on the day on which the certificate is issued. ` +
      "In addition, a rotation of a trust anchor takes time: it requires three commits, and each commit must be more than one day after the previous commit.",
    fix: `Set a validity of ${rotationLead} or more, or silence the rule if another tool renews the certificate in time.`,
    check: validityCoversRotation,
  },
];

function* issuerWithinAnchor(environment: Environment): Iterable<RuleFinding> {
  const { anchorValidity, issuerValidity } = environment.spec.linkerd.identity;
  if (hasExternalIdentity(environment) || toHours(issuerValidity) <= toHours(anchorValidity)) return;
  yield {
    paths: [spec("linkerd", "identity", "issuerValidity"), spec("linkerd", "identity", "anchorValidity")],
    message: `the validity of the issuer (${issuerValidity}) is longer than the validity of the trust anchor (${anchorValidity})`,
    fix: `set issuerValidity to ${anchorValidity} or less`,
  };
}

function* validityCoversRotation(environment: Environment): Iterable<RuleFinding> {
  if (hasExternalIdentity(environment)) return;
  const { linkerd } = environment.spec;
  for (const field of ["anchorValidity", "issuerValidity", "webhookValidity"] as const) {
    const validity = linkerd.identity[field];
    if (toHours(validity) >= toHours(rotationLead)) continue;
    yield {
      paths: [spec("linkerd", "identity", field)],
      message: `a validity of ${validity} is shorter than the time that is reserved for a rotation (${rotationLead})`,
      fix: `set ${field} to ${rotationLead} or more`,
    };
  }
}
