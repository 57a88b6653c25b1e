import type { Verdict } from "../../components/change-rule.ts";
import { providers } from "../../components/registry.ts";
import { specFile } from "../../spec/layout.ts";

const kept = providers.flatMap(({ keptReleases = [] }) => keptReleases).sort();

/**
 * Assessment of every object of an environment whose spec was removed. What Flux does depends on its root: after
 * `flux bootstrap git`, the root's folder still contains Flux's own manifests, and Flux deletes the components. With
 * `gitops.flux.manifests`, the folder does not exist, and kustomize-controller reports an error and deletes nothing.
 */
export function removedEnvironment(environment: string): Verdict {
  const spec = specFile(environment);
  return {
    risk: "data-loss",
    reason:
      "the spec of the environment no longer exists, or is abstract. If you push this change, Flux either reports an error and deletes nothing, or deletes the policies and the mesh. " +
      `Flux never deletes the Helm releases ${kept.join(" and ")}, the namespaces and the volumes, so these services can keep running without policies and without mesh. Azure resources are kept`,
    steps: [
      { text: `Restore ${spec} as it was, because teardown reads it.` },
      {
        text: "Delete the environment in its cluster. The script lists what it deletes, and asks for confirmation.",
        command: `meshops teardown ${environment} --run`,
      },
      {
        text: "Remove the spec, the identity and the generated files. If the cluster itself was deleted, add --force. Then commit and push.",
        command: `meshops env remove ${environment} --purge`,
      },
    ],
  };
}
