import { linkerdReleases, nearestRelease } from "../../catalog/linkerd.ts";
import { asMap } from "../../system/data.ts";
import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";

/** Assesses changes of the HelmRelease of Linkerd's CRDs. */
export const crdChanges: ChangeRule = {
  *assess(changed) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-crds") return;
    if (changed.change === "changed") yield* crds(changed);
  },
};

/** CRDs of a version of linkerd-crds, as far as they are known; empty if the version is older than the catalog. */
function crdsOf(version: string): readonly string[] {
  const release = linkerdReleases.find(({ charts }) => charts["linkerd-crds"] === version);
  return (release ?? nearestRelease(version.replace(/^20/, "edge-")))?.crds ?? [];
}

/**
 * Assesses a change of the CRDs. The Gateway API's CRDs are annotated with helm.sh/resource-policy: keep since
 * edge-25.3.1 (linkerd-crds, templates); the CRDs of Linkerd's policies do not have this annotation in any release.
 */
function* crds({ before, after }: ChangedObject): Iterable<Assessment> {
  const [oldVersion = "", newVersion = ""] = [before, after].map((release) =>
    String(asMap(asMap(asMap(release["spec"])["chart"])["spec"])["version"]),
  );
  const lost = crdsOf(oldVersion).filter((crd) => !crdsOf(newVersion).includes(crd));
  if (lost.length > 0)
    yield {
      risk: "crd-removal",
      reason: `chart ${newVersion} does not contain ${lost.join(", ")}: Helm deletes these CRDs and all their objects`,
    };
  if (oldVersion !== newVersion)
    yield {
      risk: "rollout",
      reason: `chart linkerd-crds changes from ${oldVersion} to ${newVersion}; existing objects do not change`,
    };
  const installs = (release: ChangedObject["before"]): boolean => {
    const values = asMap(asMap(release["spec"])["values"]);
    return values["installGatewayAPI"] === true || values["enableHttpRoutes"] === true;
  };
  if (!installs(before) || installs(after)) return;
  if (oldVersion?.startsWith("20"))
    yield {
      risk: "harmless",
      reason:
        "the Gateway API's CRDs are kept (helm.sh/resource-policy: keep), but linkerd-crds no longer manages them: another tool must do so",
    };
  else
    yield {
      risk: "crd-removal",
      reason:
        "Helm deletes the Gateway API's CRDs, together with all routes: before you push, annotate the CRDs with helm.sh/resource-policy=keep",
    };
}
