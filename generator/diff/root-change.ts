import { sharedPush } from "../components/change-rule.ts";
import { suspendFirst } from "../components/flux-commands.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { rootOf } from "../spec/ownership.ts";
import type { AssessedChange } from "./diff.ts";

/**
 * Returns the change of the root Kustomization. No generated file contains the root Kustomization. If the spec of a
 * running environment specifies another root Kustomization, the old root Kustomization still exists in the cluster, and
 * Flux continues to reconcile it. Returns an empty list if the root Kustomization stays the same.
 */
export function rootChanges(before: Environment, after: Environment): AssessedChange[] {
  const [old, next] = [rootOf(before), rootOf(after)];
  if (old.name === next.name && old.namespace === next.namespace) return [];
  const environment = after.metadata.name;
  return [
    {
      environment,
      kind: "Kustomization",
      namespace: old.namespace,
      name: old.name,
      change: "changed",
      risk: "data-loss",
      reason: `Kustomization ${next.namespace}/${next.name} now applies the environment, but Kustomization ${old.namespace}/${old.name} still exists and also applies the environment. If you delete the old Kustomization without the following steps, Flux deletes the policies and the mesh`,
      steps: [
        suspendFirst("the old Kustomization", [old]),
        ...(after.spec.gitops.root === undefined
          ? []
          : [
              {
                text: `If the folder flux/${environment} contains files of flux bootstrap git (flux-system/gotk-sync.yaml), move these files to another folder of the platform repository. With these files, the new Kustomization would create the old Kustomization again.`,
              },
              {
                text: `If the Git repository does not contain the manifest of Kustomization ${next.namespace}/${next.name}, add the manifest to a folder that Flux already applies, in the same commit. The Kustomization must apply the folder flux/${environment}.`,
              },
            ]),
        sharedPush,
        after.spec.gitops.root === undefined
          ? { text: "Create the new root Kustomization.", command: `meshops bootstrap ${environment} --run` }
          : { text: `Check that the new Kustomization ${next.namespace}/${next.name} applies the folder flux/${environment}.` },
        { text: "Wait until Flux has applied the commit.", command: `meshops status ${environment} --watch` },
        {
          text: "If the old Kustomization applies only objects of the environment, delete the old Kustomization while it is suspended. If the old Kustomization also applies other objects, do not delete the old Kustomization: change it so that it no longer applies the folder of the environment, and resume it. If the Kustomizations of the components also get new names, suspend and then delete the Kustomizations with the old names.",
          command: `kubectl delete kustomization.kustomize.toolkit.fluxcd.io ${old.name} --namespace ${old.namespace}`,
        },
      ],
      fields: [],
    },
  ];
}
