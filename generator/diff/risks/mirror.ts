import type { Assessment, ChangedObject } from "../../components/change-rule.ts";

/**
 * A chart whose images come from the environment's registry (azure.registry.mirrorImages). The registry has the images
 * of a new chart only after they were copied, and pods whose image is missing do not start.
 */
export function* mirroredImages(
  { kind, name, change, fields, after }: ChangedObject,
  { environment }: { readonly environment: string },
): Iterable<Assessment> {
  const other = change === "added" || fields.some(({ path }) => path === "spec.chart.spec.version" || path.endsWith("image.tag"));
  if (kind !== "HelmRelease" || change === "removed" || !other) return;
  const [registry] = /\b[a-z0-9]+\.azurecr\.io/.exec(JSON.stringify(after)) ?? [];
  if (registry === undefined) return;
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
