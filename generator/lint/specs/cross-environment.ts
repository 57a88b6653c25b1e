import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { recipientsOf } from "../../spec/ownership.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";

/**
 * A rule about two environments. The findings of the rule are about the environment that comes later in the list of
 * environments.
 */
export interface CrossEnvironmentRule extends RuleInfo {
  /**
   * Returns the keys of an environment. If several environments have the same key, the rule compares each later
   * environment with the first of these environments. If the rule does not apply to an environment, the list of keys is
   * empty.
   */
  readonly keys: (environment: Environment) => readonly string[];
  /**
   * @param first the first environment with the key
   * @param key the key that both environments have
   */
  readonly check: (environment: Environment, first: Environment, key: string) => Iterable<RuleFinding>;
}

/**
 * Rules about conflicts between environments. The paths of Flux Kustomizations need no rule: each path contains the
 * name of the environment, so two environments never have the same path.
 */
export const jointRules: readonly CrossEnvironmentRule[] = [
  {
    code: "cluster-shared",
    severity: "error",
    title: "Two environments use the same cluster",
    why:
      "Both environments would install Linkerd into the namespace `linkerd`. At every reconciliation, Flux would overwrite the objects of one environment with the objects of the other environment. " +
      "The usual cause is a copied spec in which the cluster name was not changed.",
    fix: "Set a different `azure.cluster.name` in each environment.",
    keys: ({ spec: { azure } }) => (azure === undefined ? [] : [keyOf(azure)]),
    check: sharedCluster,
  },
  {
    code: "context-shared",
    severity: "warning",
    title: "Two environments use the same kubectl context",
    why:
      "A kubectl context belongs to one cluster. helmfile, and the commands that meshops prints, use the context of the environment. If two environments have the same context, `helmfile -e <env> sync` can install one environment into the cluster of the other environment. " +
      "The context of an AKS cluster has the name of the cluster, because `az aks get-credentials` writes a context with this name.",
    fix: "If the cluster does not exist yet, set a different `azure.cluster.name` in each environment. The name of an existing AKS cluster cannot be changed. For an existing AKS cluster, use a separate kubeconfig file for each cluster, and silence the rule. Without `spec.azure`, set a different `cluster.context`.",
    keys: (environment) => [clusterOf(environment).context ?? []].flat(),
    check: sharedContext,
  },
  {
    code: "resource-group-shared",
    severity: "warning",
    title: "Two environments use the same resource group",
    why:
      "When a resource group is deleted, Azure deletes all resources in the group. Roles that are assigned on the group apply to all resources in the group. `meshops teardown` does not delete a group that contains " +
      "the cluster of another environment. However, a user can delete this group in the Azure portal.",
    fix: "Set a different `azure.resourceGroup` in each environment. If the environments share the group on purpose, silence the rule.",
    keys: ({ spec: { azure } }) => (azure === undefined ? [] : [groupOf(azure).join("/")]),
    check: sharedGroup,
  },
  {
    code: "age-key-shared",
    severity: "warning",
    title: "The clusters of two environments have the same age key",
    why:
      "Each cluster contains the private key of its age recipient. If two environments use the same age key, both clusters contain the same private key. A user who can read this key in one cluster can decrypt the Secrets of both environments in Git. These Secrets include the private keys of the issuers. " +
      "The usual cause is a copied spec in which the recipient was not changed.",
    fix: "If the spec is a copy, create an age key and an identity for the new environment: run `meshops identity keygen <env> --write --force`, then `meshops identity init <env>`. If both environments are running, replace the age key of one environment in three steps (see [docs/identity.md](../identity.md#change-the-age-key-of-a-cluster)).",
    keys: (environment) => recipientsOf(environment).age,
    check: sharedAgeKey,
  },
];

/**
 * Returns the subscription and the name of a resource group. The name is in lower case, because the names of resource
 * groups are case-insensitive in Azure.
 */
function groupOf({ subscription, resourceGroup }: NonNullable<Environment["spec"]["azure"]>): string[] {
  return [subscription ?? "", resourceGroup.toLowerCase()];
}

/** Returns a text that identifies an AKS cluster: the subscription, the resource group and the name. */
function keyOf(azure: NonNullable<Environment["spec"]["azure"]>): string {
  return [...groupOf(azure), azure.cluster.name.toLowerCase()].join("/");
}

function* sharedCluster(environment: Environment, first: Environment): Iterable<RuleFinding> {
  yield {
    paths: [spec("azure", "cluster", "name")],
    message: `the environments ${environment.metadata.name} and ${first.metadata.name} use the same cluster`,
    fix: `set azure.cluster.name: ${first.spec.azure?.cluster.name}-${environment.metadata.name}`,
  };
}

function* sharedContext(environment: Environment, first: Environment, context: string): Iterable<RuleFinding> {
  const { azure } = environment.spec;
  const isSameCluster = azure !== undefined && first.spec.azure !== undefined && keyOf(azure) === keyOf(first.spec.azure);
  // The rule cluster-shared reports environments with the same AKS cluster.
  if (isSameCluster) return;
  const field = azure === undefined || azure.cluster.name !== context ? ["cluster", "context"] : ["azure", "cluster", "name"];
  yield {
    paths: [spec(...field), spec("azure", "cluster"), spec("cluster")],
    message: `the environments ${environment.metadata.name} and ${first.metadata.name} use the same kubectl context, ${context}. helmfile can therefore install one environment into the cluster of the other environment`,
    fix: `set ${field.join(".")}: ${context}-${environment.metadata.name}; if the cluster already exists, do not change its name, but use a separate kubeconfig file for each cluster, and silence the rule`,
  };
}

function* sharedAgeKey(environment: Environment, first: Environment, key: string): Iterable<RuleFinding> {
  const { metadata } = environment;
  yield {
    paths: [spec("secrets", "age", recipientsOf(environment).age.indexOf(key))],
    message: `the clusters of ${metadata.name} and ${first.metadata.name} have the same age key. Each cluster can therefore decrypt the Secrets of both environments`,
    fix: `if ${metadata.name} has no certificates yet, run meshops identity keygen ${metadata.name} --write --force && meshops identity init ${metadata.name}. Otherwise, replace the age key of ${metadata.name} in three steps (see meshops help identity)`,
  };
}

function* sharedGroup(environment: Environment, first: Environment): Iterable<RuleFinding> {
  const name = environment.spec.azure?.cluster.name.toLowerCase();
  if (name === first.spec.azure?.cluster.name.toLowerCase()) return;
  yield {
    paths: [spec("azure", "resourceGroup")],
    message: `the environments ${environment.metadata.name} and ${first.metadata.name} use the same resource group`,
    fix: `set azure.resourceGroup: ${first.spec.azure?.resourceGroup}-${environment.metadata.name}`,
  };
}
