import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";

/** A rule about two environments. The findings of the rule are about the second environment. */
export interface JointRule extends RuleInfo {
  /** Environments with the same key are compared. Null if the rule does not apply to the environment. */
  readonly key: (environment: Environment) => string | null;
  /** @param first the first environment with the same key */
  readonly check: (environment: Environment, first: Environment) => Iterable<RuleFinding>;
}

/**
 * Rules about conflicting environments. The paths of Flux Kustomizations cannot conflict, because they contain the
 * environment's name.
 */
export const jointRules: readonly JointRule[] = [
  {
    code: "cluster-shared",
    severity: "error",
    title: "Two environments use the same cluster",
    why:
      "Both environments would install Linkerd into the namespace `linkerd`, and at every interval, Flux would overwrite the objects of each environment with the objects of the other environment. " +
      "Usually, a spec was copied from another spec, and the cluster name in the copy was not changed.",
    fix: "Set a different `azure.cluster.name` in each environment.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : [...groupOf(azure), azure.cluster.name.toLowerCase()].join("/")),
    check: sharedCluster,
  },
  {
    code: "resource-group-shared",
    severity: "warning",
    title: "Two environments use the same resource group",
    why:
      "If a resource group is deleted, Azure deletes all resources in the group. Roles that are assigned on the group apply to all resources in the group. `meshops teardown` refuses to delete a group that contains " +
      "another environment's cluster, but the Azure portal does not prevent this deletion.",
    fix: "Set a different `azure.resourceGroup` in each environment, or silence the rule if the environments are intended to share the group.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : groupOf(azure).join("/")),
    check: sharedGroup,
  },
];

/** Identifies a resource group. Azure ignores upper and lower case in the names of resource groups. */
function groupOf({ subscription, resourceGroup }: NonNullable<Environment["spec"]["azure"]>): string[] {
  return [subscription ?? "", resourceGroup.toLowerCase()];
}

function* sharedCluster(environment: Environment, first: Environment): Iterable<RuleFinding> {
  yield {
    paths: [spec("azure", "cluster", "name")],
    message: `${environment.metadata.name} and ${first.metadata.name} use the same cluster`,
    fix: "set a different azure.cluster.name",
  };
}

function* sharedGroup(environment: Environment, first: Environment): Iterable<RuleFinding> {
  const name = environment.spec.azure?.cluster.name.toLowerCase();
  if (name === first.spec.azure?.cluster.name.toLowerCase()) return;
  yield {
    paths: [spec("azure", "resourceGroup")],
    message: `${environment.metadata.name} and ${first.metadata.name} share a resource group`,
    fix: "set a different azure.resourceGroup",
  };
}
