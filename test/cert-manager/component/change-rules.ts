import type { ChangeRule } from "../../../generator/components/change-rule.ts";

/** Rules for changes of cert-manager's HelmRelease. */
export const certManagerChanges: ChangeRule = {
  *assess({ kind, name, change, fields }) {
    if (kind !== "HelmRelease" || name !== "cert-manager") return;
    if (change === "removed")
      yield {
        risk: "webhook-policy",
        reason:
          "Flux uninstalls cert-manager: no certificate is renewed; CRDs and Certificates stay (helm.sh/resource-policy: keep)",
      };
    for (const { path, after } of fields)
      if (path === "spec.values.crds.keep" && after === false)
        yield { risk: "crd-removal", reason: "an uninstall would delete cert-manager's CRDs, and every Certificate with them" };
  },
};
