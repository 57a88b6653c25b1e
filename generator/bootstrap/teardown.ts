import { ageSecretOf } from "../bundle/emit/flux.ts";
import { kustomizationName, type Placement, placementOf, rootFolder } from "../bundle/emit/placement.ts";
import { modelOf } from "../components/build.ts";
import { type ComponentModel, generatedObjects, isDelivered, releaseOf } from "../components/model.ts";
import { fluxName } from "../components/names.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { specFile } from "../spec/layout.ts";
import { renderScript, type ScriptStep, type View } from "./template.ts";

/** Azure resources to delete in addition to the cluster. */
export interface TeardownScope {
  readonly registry: boolean;
  /**
   * Whether to delete the resource group, including the environment's registry. The script stops if the resource group
   * contains a resource other than the environment's cluster and registry.
   */
  readonly group: boolean;
}

/**
 * Returns the script that deletes an environment. The script deletes the components in the reverse of the startup
 * order. Then it deletes the age key. If meshops manages the root Kustomization, the script also deletes the root
 * Kustomization and its source. If the spec contains `azure` and `azure.cluster.lifecycle` is `managed`, the script
 * then deletes the Azure resources. In all other cases, the script keeps the cluster and its volumes.
 *
 * @param context kubectl context of a cluster that is not on Azure. If null, the script asks the user to confirm the
 *   current context.
 */
export function teardownScript(environment: Environment, context: string | null, extent: TeardownScope): string {
  const { metadata, spec } = environment;
  const model = modelOf(environment);
  const { components: built } = model;
  const placement = placementOf(environment);
  // If `lifecycle` is `existing`, another tool created the cluster. The script then keeps the cluster. It also keeps
  // every cluster that is not on Azure.
  const kept = spec.azure?.cluster.lifecycle === "existing" ? spec.azure.cluster.name : null;
  const azure = kept === null ? spec.azure : undefined;
  const deletesRegistry = azure?.registry !== undefined && (extent.registry || extent.group);
  const namespaces = namespacesOf(built);
  const bindings = generatedObjects(built)
    .filter(({ kind }) => kind === "ClusterRoleBinding")
    .map(({ metadata }) => metadata.name);
  const plan: ScriptStep[] = [
    { title: "tools", run: "tools" },
    ...(azure === undefined ? [] : [{ title: "Azure account", run: "account" }]),
    { title: "confirmation", run: "confirm" },
    placement.managesRoot
      ? { title: "suspension of the root Kustomization", run: "suspend_flux" }
      : { title: "check whether the root Kustomization is suspended", run: "check_suspended" },
    ...built
      .filter(isDelivered)
      .reverse()
      .map((component) => removal(component, placement)),
    ...(bindings.length === 0 ? [] : [{ title: "ClusterRoleBindings of service accounts", run: "remove_bindings" }]),
    { title: "namespaces that are empty", run: "remove_namespaces", arguments: namespaces },
    { title: placement.managesRoot ? "root Kustomization, its source and the age key" : "age key", run: "remove_root" },
    ...(azure === undefined ? [] : azureSteps(azure, deletesRegistry, extent.group)),
  ];
  const view: View = {
    environment: metadata.name,
    spec: specFile(metadata.name),
    azure:
      azure === undefined
        ? null
        : {
            subscription: azure.subscription ?? "",
            location: azure.location,
            resourceGroup: azure.resourceGroup,
            cluster: azure.cluster.name,
          },
    registry: azure?.registry?.name ?? null,
    deleteRegistry: deletesRegistry,
    deleteGroup: extent.group,
    namespaces,
    context: kept ?? context ?? "",
    keptCluster: kept !== null,
    teardown: true,
    ageSecret: ageSecretOf(environment),
    git: { url: spec.gitops.url ?? "", path: rootFolder(environment) },
    placement,
    bindings,
  };
  return renderScript("teardown", plan, view);
}

function azureSteps(azure: NonNullable<Environment["spec"]["azure"]>, registry: boolean, group: boolean): ScriptStep[] {
  const steps: (ScriptStep | false)[] = [
    azure.registry !== undefined && !registry && { title: "role assignment AcrPull of the cluster", run: "revoke_pull_right" },
    { title: `AKS cluster ${azure.cluster.name}`, run: "delete_cluster" },
    registry && { title: `registry ${azure.registry?.name}`, run: "delete_registry" },
    group && { title: `resource group ${azure.resourceGroup}`, run: "delete_group" },
  ];
  return steps.filter((step) => step !== false);
}

function removal(component: ComponentModel, placement: Placement): ScriptStep {
  const { id, namespace, apiRegistrations = "" } = component;
  const kustomization = kustomizationName(placement, id);
  const helmRelease = releaseOf(component) === null ? "" : fluxName(id);
  const state = component.suspended ? ["suspended"] : [];
  return { title: id, run: "take_down", arguments: [kustomization, namespace, helmRelease, apiRegistrations, ...state] };
}

function namespacesOf(components: readonly ComponentModel[]): string[] {
  return generatedObjects(components)
    .filter(({ kind }) => kind === "Namespace")
    .map(({ metadata }) => metadata.name);
}
