import type { Assessed } from "../../components/change-rule.ts";
import { providers } from "../../components/registry.ts";
import { specFile } from "../../spec/layout.ts";

const kept = providers.flatMap(({ keptReleases = [] }) => keptReleases).sort();

/**
 * Returns the assessment for every object of an environment whose spec was removed. If `flux bootstrap git` installed
 * Flux, the folder of the root Kustomization still contains Flux's own manifests. Flux then applies this folder, and
 * deletes the components. If Flux was installed from `gitops.flux.manifests`, the folder no longer exists.
 * kustomize-controller then reports an error, and deletes nothing.
 */
export function removedEnvironment(environment: string): Assessed {
  const spec = specFile(environment);
  return {
    risk: "data-loss",
    reason:
      "the spec of the environment no longer exists, or now contains spec.abstract: true. If Flux was installed with flux bootstrap git, Flux deletes the policies and the mesh after you push. If Flux was installed in another way, Flux can instead report an error and delete nothing. " +
      `Flux never deletes the Helm releases ${kept.join(" and ")}, the namespaces, the volumes and the Azure resources. The pods of these Helm releases can then run without the policies and without the mesh`,
    steps: [
      { text: `Restore the previous content of ${spec}, because meshops teardown reads this file.` },
      {
        text: "Delete the environment in its cluster. The following command lists the objects that it will delete, and asks for confirmation.",
        command: `meshops teardown ${environment} --run`,
      },
      {
        text: "Remove the spec, the identity and the generated files with the following command. If the cluster itself was deleted, add --force to the command. Then commit and push.",
        phase: "push",
        command: `meshops env remove ${environment} --purge`,
      },
    ],
  };
}
