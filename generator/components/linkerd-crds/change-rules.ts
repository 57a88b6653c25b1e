import { linkerdReleases } from "../../catalog/linkerd.ts";
import { asMap } from "../../system/data.ts";
import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";

/** Changes of the HelmRelease of Linkerd's CRDs. */
export const crdChanges: ChangeRule = {
  *assess(changed) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-crds") return;
    if (changed.change === "removed")
      yield { risk: "crd-removal", reason: "without Linkerd's CRDs every policy and profile is gone" };
    if (changed.change === "changed") yield* crds(changed);
  },
};

/** CRDs of a version of linkerd-crds; none where the version is not known. */
function crdsOf(version: string | undefined): readonly string[] {
  return linkerdReleases.find(({ charts }) => charts["linkerd-crds"] === version)?.crds ?? [];
}

/** Gateway API CRDs carry helm.sh/resource-policy: keep from edge-25.3.1 on (linkerd-crds, templates), policy's own never. */
function* crds({ before, after }: ChangedObject): Iterable<Assessment> {
  const [old, young] = [before, after].map((release) => String(asMap(asMap(asMap(release["spec"])["chart"])["spec"])["version"]));
  const lost = crdsOf(old).filter((crd) => !crdsOf(young).includes(crd));
  if (lost.length > 0)
    yield {
      risk: "crd-removal",
      reason: `chart ${young} has no ${lost.join(", ")}: Helm deletes them, and every object of theirs`,
    };
  if (old !== young) yield { risk: "rollout", reason: `CRDs go from ${old} to ${young}; objects stay as they are` };
  const installs = (release: ChangedObject["before"]): boolean => {
    const values = asMap(asMap(release["spec"])["values"]);
    return values["installGatewayAPI"] === true || values["enableHttpRoutes"] === true;
  };
  if (!installs(before) || installs(after)) return;
  if (old?.startsWith("20"))
    yield {
      risk: "harmless",
      reason: "the Gateway API's CRDs stay (helm.sh/resource-policy: keep), and somebody else looks after them",
    };
  else
    yield {
      risk: "crd-removal",
      reason: "Helm deletes the Gateway API's CRDs, and every route with them: annotate them helm.sh/resource-policy=keep first",
    };
}
