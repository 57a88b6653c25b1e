import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { folderInSource, pathInSource, placementOf } from "../bundle/emit/placement.ts";
import { inventoryFile, parseInventory } from "../bundle/inventory.ts";
import type { Step } from "../components/change-rule.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { fluxFolder } from "../spec/layout.ts";
import { readIfExists } from "../system/files.ts";
import { compareText, folderOf } from "../system/text.ts";

/** The old and the new name of a renamed environment. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the files in the folder `flux/<env>` that meshops did not generate. `flux bootstrap git` or a user created
 * these files. The paths are sorted, and are relative to the root of the repository.
 */
export function ownFluxFiles(root: string, environment: string): string[] {
  const folder = fluxFolder(environment);
  if (!existsSync(join(root, folder))) return [];
  const { files } = parseInventory(readIfExists(join(root, inventoryFile(environment))) ?? "", environment);
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((path) => !files.has(path))
    .sort(compareText);
}

/**
 * Returns the steps that the user must do after `meshops env rename`, or after the spec was renamed by hand.
 *
 * @param environment the renamed environment. Null if the spec has errors or is abstract. An abstract spec has no
 * cluster, because it is only a base for other specs.
 */
export function stepsAfterRename(root: string, environment: Environment | null, { from, to }: Renamed): Step[] {
  const commitAndPush: Step = {
    text: "Commit and push.",
    phase: "push",
    shared: true,
    command: `git add --all && git commit -m "Rename ${from} to ${to}" && git push`,
  };
  if (environment === null) return [commitAndPush];
  const { managesRoot } = placementOf(environment);
  return [
    ...ownFluxFiles(root, from).map((path) => ({
      text: path.endsWith("/gotk-sync.yaml")
        ? `Move gotk-sync.yaml, which flux bootstrap git created. In the Kustomization in this file, change spec.path from ${fluxFolder(from)} to ${fluxFolder(to)}.`
        : `Move ${path} before you push. Otherwise, Flux applies ${fluxFolder(from)} without the files of the components, and deletes the components.`,
      command: moveFile(path, path.replace(fluxFolder(from), fluxFolder(to))),
    })),
    ...(managesRoot ? [] : [pathOfOthers(environment, { from, to })]),
    commitAndPush,
    ...azureTags(environment),
    ...(managesRoot ? [pathOfRoot(environment, { from, to })] : []),
    { text: `Wait until Flux has applied ${fluxFolder(to)}.`, command: `meshops status ${to} --watch` },
  ];
}

function moveFile(path: string, target: string): string {
  return `mkdir -p ${folderOf(target)} && git mv ${path} ${target}`;
}

function pathOfOthers(environment: Environment, { from, to }: Renamed): Step {
  const placement = placementOf(environment);
  const { root } = placement;
  return {
    text: `In the commit that renames the environment, also change spec.path of Kustomization ${root.name} in namespace ${root.namespace} from ${pathInSource(placement, fluxFolder(from))} to ${pathInSource(placement, fluxFolder(to))}.`,
  };
}

function pathOfRoot(environment: Environment, { from, to }: Renamed): Step {
  const old = folderInSource(placementOf(environment), fluxFolder(from));
  return {
    text: `Change the path of Flux's root Kustomization. Until then, Flux reports that ${old} is missing, and changes nothing.`,
    command: `MESHOPS_TAKE_OVER=yes meshops bootstrap ${to} --run`,
  };
}

/**
 * Returns the steps that change the tag `environment` of Azure resources to the new name. `meshops teardown` compares
 * this tag of the cluster and of the registry with the name of the environment. Returns no steps if the environment is
 * not on Azure.
 */
function azureTags({ metadata, spec: { azure } }: Environment): Step[] {
  // meshops does not tag the resources of an existing cluster.
  if (azure === undefined || azure.cluster.lifecycle === "existing") return [];
  const { resourceGroup, registry, cluster } = azure;
  const resources: [string, string][] = [
    ["cluster", `az aks show --name ${cluster.name} --resource-group ${resourceGroup}`],
    ...(registry === undefined
      ? []
      : [["registry", `az acr show --name ${registry.name} --resource-group ${resourceGroup}`] satisfies [string, string]]),
    ["resource group", `az group show --name ${resourceGroup}`],
  ];
  // `meshops teardown` does not compare the tag of the resource group.
  const reason = (resource: string): string =>
    resource === "resource group"
      ? ""
      : ` meshops teardown deletes the ${resource} only if this tag is the name of the environment.`;
  return resources.map(([resource, show]) => ({
    text: `In Azure, set the tag "environment" of the ${resource} to ${metadata.name}.${reason(resource)}`,
    command: `az tag update --operation merge --tags environment=${metadata.name} --resource-id "$(${show} --query id --output tsv)"`,
  }));
}
