import { mapAt } from "../../kubernetes/object-fields.ts";
import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";
import { chartVersionOf, failsToDowngrade, knownReleaseWith, releaseWith } from "../chart-version.ts";

/** Assesses changes of the HelmRelease of Linkerd's CRDs. */
export const crdChanges: ChangeRule = {
  *assess(changed) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-crds") return;
    if (changed.change === "changed") yield* crds(changed);
  },
};

/**
 * Assesses a change of the CRDs. The Gateway API's CRDs are annotated with helm.sh/resource-policy: keep since
 * edge-25.3.1 (linkerd-crds, templates). In all releases, the CRDs of Linkerd's policies lack this annotation.
 */
function* crds(changed: ChangedObject): Iterable<Assessment> {
  const { before, after } = changed;
  const [oldVersion, newVersion] = [chartVersionOf(before), chartVersionOf(after)];
  const [old, next] = [releaseWith("linkerd-crds", oldVersion), releaseWith("linkerd-crds", newVersion)];
  if (failsToDowngrade(old, next)) {
    yield {
      risk: "stalled-rollout",
      reason: `the downgrade to chart linkerd-crds ${newVersion} fails. The cluster stores Servers in version v1beta3 (status.storedVersions). The Server CRD in the chart does not contain this version, so Kubernetes rejects the CRD. The other charts wait for linkerd-crds`,
      steps: [
        {
          phase: "stop",
          text: `Do not push this commit. Keep an edge release of Linkerd, such as ${old?.version}, or create a new cluster with ${next?.version}.`,
        },
      ],
    };
    return;
  }
  const lost = (old?.crds ?? []).filter((crd) => !(next?.crds ?? []).includes(crd));
  if (lost.length > 0)
    yield {
      risk: "crd-removal",
      reason: `Helm deletes the CRDs that chart linkerd-crds ${newVersion} does not contain. Kubernetes then deletes all objects of these kinds: ${lost.join(", ")}`,
    };
  if (oldVersion !== newVersion)
    yield {
      risk: "rollout",
      reason: `chart linkerd-crds changes from ${oldVersion} to ${newVersion}${[oldVersion, newVersion].every((version) => knownReleaseWith("linkerd-crds", version)) ? "; existing objects do not change" : ". meshops cannot compare the CRDs of the two versions, because its catalog does not contain both versions"}`,
    };
  const installs = (release: ChangedObject["before"]): boolean => {
    const values = mapAt(release, "spec", "values");
    return values["installGatewayAPI"] === true || values["enableHttpRoutes"] === true;
  };
  if (!installs(before) && installs(after))
    yield {
      risk: "stalled-rollout",
      reason:
        "Helm installs the Gateway API's CRDs. If another tool has installed these CRDs, the upgrade fails, and the other charts wait for linkerd-crds. To prevent this, first remove the CRDs from the configuration of the other tool, but keep them in the cluster. Then add Helm's labels and annotations to the CRDs",
    };
  if (!installs(before) || installs(after)) return;
  if (oldVersion.startsWith("20"))
    yield {
      risk: "harmless",
      reason:
        "the Gateway API's CRDs stay in the cluster (helm.sh/resource-policy: keep), but linkerd-crds no longer updates them. Use another tool to update these CRDs",
    };
  else
    yield {
      risk: "crd-removal",
      reason:
        "Helm deletes the Gateway API's CRDs, and Kubernetes then deletes all HTTPRoutes. To keep the CRDs and the routes, annotate the CRDs with helm.sh/resource-policy=keep before you push",
    };
}
