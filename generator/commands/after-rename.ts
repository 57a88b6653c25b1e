import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderInSource, pathInSource, placementOf } from "../bundle/emit/placement.ts";
import type { Step } from "../components/change-rule.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { fluxFolder } from "../spec/layout.ts";

/** An environment that has another name than before. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/** Folder with the manifests that `flux bootstrap git` writes for an environment. */
export function fluxFilesOf(environment: string): string {
  return `${fluxFolder(environment)}/flux-system`;
}

/**
 * Returns what the user must do after an environment was renamed in the repository.
 *
 * @param environment the renamed environment; null if its spec is abstract or has errors. No cluster is made from an
 *   abstract spec.
 */
export function stepsAfterRename(root: string, environment: Environment | null, { from, to }: Renamed): Step[] {
  const push: Step = {
    text: "Commit and push.",
    command: `git add --all && git commit -m "Rename ${from} to ${to}" && git push`,
  };
  if (environment === null) return [push];
  const own = fluxFilesOf(from);
  const { managesRoot } = placementOf(environment);
  return [
    ...(existsSync(join(root, own))
      ? [
          {
            text: "Move the files of flux bootstrap git, and then change spec.path in gotk-sync.yaml.",
            command: `git mv ${own} ${fluxFilesOf(to)}`,
          },
        ]
      : []),
    ...(managesRoot ? [] : [pathOfOthers(environment, { from, to })]),
    push,
    ...azureTags(environment),
    ...(managesRoot ? [pathOfRoot(environment, { from, to })] : []),
    { text: "Wait until Flux has applied the new folder.", command: `meshops status ${to} --watch` },
  ];
}

function pathOfOthers(environment: Environment, { from, to }: Renamed): Step {
  const placement = placementOf(environment);
  const { root } = placement;
  return {
    text: `In the same commit, change spec.path of Kustomization ${root.name} in namespace ${root.namespace} from ${pathInSource(placement, fluxFolder(from))} to ${pathInSource(placement, fluxFolder(to))}.`,
  };
}

function pathOfRoot(environment: Environment, { from, to }: Renamed): Step {
  const old = folderInSource(placementOf(environment), fluxFolder(from));
  return {
    text: `Change the path of Flux's root Kustomization. Until then, Flux reports that ${old} is missing, and changes nothing.`,
    command: `MESHOPS_TAKE_OVER=yes meshops bootstrap ${to} --run`,
  };
}

/** Steps that change the tags that teardown compares with the name of the environment. */
function azureTags({ metadata, spec: { azure } }: Environment): Step[] {
  if (azure === undefined) return [];
  const { resourceGroup, registry, cluster } = azure;
  const resources: [string, string][] = [
    ["cluster", `az aks show --name ${cluster.name} --resource-group ${resourceGroup}`],
    ...(registry === undefined
      ? []
      : [["registry", `az acr show --name ${registry.name} --resource-group ${resourceGroup}`] satisfies [string, string]]),
    ["resource group", `az group show --name ${resourceGroup}`],
  ];
  return resources.map(([resource, show]) => ({
    text: `Change the tag of the ${resource} in Azure: meshops teardown compares this tag with the name of the environment.`,
    command: `az tag update --operation merge --tags environment=${metadata.name} --resource-id "$(${show} --query id --output tsv)"`,
  }));
}
