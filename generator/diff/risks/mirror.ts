import type { Assessment, ChangedObject } from "../../components/change-rule.ts";

/**
 * A chart whose images come from the environment's registry (azure.registry.mirrorImages). The registry has the images
 * of a new chart only after they were copied. A new registry has no images, and the cluster has no permission to pull
 * from it, until bootstrap has run. Pods whose image is missing do not start.
 */
export function* mirroredImages(
  { kind, name, change, fields, before, after }: ChangedObject,
  { environment }: { readonly environment: string },
): Iterable<Assessment> {
  const other = change === "added" || fields.some(({ path }) => path === "spec.chart.spec.version" || path.endsWith("image.tag"));
  if ((kind !== "HelmRelease" && kind !== "Overlay") || change === "removed") return;
  const [old, registry] = [before, after].map((object) => /\b[a-z0-9]+\.azurecr\.io/.exec(JSON.stringify(object))?.[0]);
  if (registry === undefined) return;
  if (change === "changed" && registry !== old) {
    yield {
      risk: "rollout",
      reason: `the images of ${name} come from ${registry}. Pods whose image this registry does not contain do not start, and neither do new meshed pods of other workloads`,
      prerequisites: [
        {
          text: "Before you push, create the registry, the permission to pull from it, and its images.",
          command: `meshops bootstrap ${environment} --run`,
        },
      ],
    };
    return;
  }
  if (kind !== "HelmRelease" || !other) return;
  yield {
    risk: "rollout",
    reason: `the images of ${name} come from ${registry}, which must contain the images of the new chart`,
    prerequisites: [
      {
        text: "Copy the images to the registry before you push.",
        command: `meshops images ${environment} --mirror | bash`,
      },
    ],
  };
}
