import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";

/** A rule about two environments. Its findings are about the second one. */
export interface JointRule extends RuleInfo {
  /** Environments with the same key are compared. Null if the rule does not apply to the environment. */
  readonly key: (environment: Environment) => string | null;
  /** @param first the first environment with the same key */
  readonly check: (environment: Environment, first: Environment) => Iterable<RuleFinding>;
}

/** Rules about conflicting environments. Flux's paths cannot conflict: they contain the environment's name. */
export const jointRules: readonly JointRule[] = [
  {
    code: "cluster-shared",
    severity: "error",
    title: "Two environments in one cluster",
    why:
      "Both environments would install Linkerd into the namespace `linkerd`, and at every interval Flux would overwrite the objects of each environment with those of the other. " +
      "The usual cause is a spec that was copied from another spec with its cluster name unchanged.",
    fix: "Set a different `azure.cluster.name` in each environment.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : [...groupOf(azure), azure.cluster.name.toLowerCase()].join("/")),
    check: sharedCluster,
  },
  {
    code: "resource-group-shared",
    severity: "warning",
    title: "Two environments in one resource group",
    why:
      "If a resource group is deleted, everything in it is deleted, and roles that are assigned on the group apply to everything in it. `meshops teardown` refuses to delete a group that contains " +
      "another environment's cluster, but the Azure portal deletes such a group.",
    fix: "Set a different `azure.resourceGroup` in each environment, or silence the rule if sharing is intended.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : groupOf(azure).join("/")),
    check: sharedGroup,
  },
];

/** Identifies a resource group. Azure compares its name case-insensitively. */
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
