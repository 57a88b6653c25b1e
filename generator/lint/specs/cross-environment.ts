import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";

/** A rule about several environments at once; it finds something wrong with one of them, seen beside another. */
export interface JointRule extends RuleInfo {
  /** What two environments must agree in to be looked at; null where the rule does not concern the environment. */
  readonly key: (environment: Environment) => string | null;
  /** @param first the environment that came first with the same key */
  readonly check: (environment: Environment, first: Environment) => Iterable<RuleFinding>;
}

/** Environments that get in each other's way. Flux's paths cannot collide: they are made of the environment's name. */
export const jointRules: readonly JointRule[] = [
  {
    code: "cluster-shared",
    severity: "error",
    title: "Two environments in one cluster",
    why:
      "Both would install Linkerd into the namespace `linkerd`, and their Fluxes would overwrite each other's objects at every interval. " +
      "It is what remains when a spec is copied and one line forgotten.",
    fix: "Give each its own `azure.cluster.name`.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : [...groupOf(azure), azure.cluster.name.toLowerCase()].join("/")),
    check: sharedCluster,
  },
  {
    code: "resource-group-shared",
    severity: "warning",
    title: "Two environments in one resource group",
    why:
      "A resource group is deleted as a whole, and roles given on it hold for all that is in it. `meshops teardown` refuses to delete a group that holds " +
      "another environment's cluster, but a person at the portal does not.",
    fix: "Give each its own `azure.resourceGroup`, or silence the rule where it is meant.",
    key: ({ spec: { azure } }) => (azure === undefined ? null : groupOf(azure).join("/")),
    check: sharedGroup,
  },
];

/** Azure compares names without regard to case. */
function groupOf({ subscription, resourceGroup }: NonNullable<Environment["spec"]["azure"]>): string[] {
  return [subscription ?? "", resourceGroup.toLowerCase()];
}

function* sharedCluster(environment: Environment, first: Environment): Iterable<RuleFinding> {
  yield {
    paths: [spec("azure", "cluster", "name")],
    message: `${environment.metadata.name} and ${first.metadata.name} are the same cluster`,
    fix: "give each a cluster of its own",
  };
}

function* sharedGroup(environment: Environment, first: Environment): Iterable<RuleFinding> {
  const name = environment.spec.azure?.cluster.name.toLowerCase();
  if (name === first.spec.azure?.cluster.name.toLowerCase()) return;
  yield {
    paths: [spec("azure", "resourceGroup")],
    message: `${environment.metadata.name} and ${first.metadata.name} share a resource group`,
    fix: "give each a resource group of its own",
  };
}
