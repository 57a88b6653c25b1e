import { parse } from "yaml";
import { placementOf } from "../../bundle/emit/placement.ts";
import type { Model } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { annotationDifferences, namespacesOfOthers } from "../../mesh/namespace-settings.ts";
import type { DeclaredNamespace, Environment } from "../../spec/environment.generated.ts";
import { specFile } from "../../spec/layout.ts";
import { asMap } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import type { Cause } from "./cause.ts";
import { describedNodes } from "./described.ts";
import { type StatusNode, workloadNode } from "./node.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the state of the objects that other tools provide. If another tool installs a component, the result contains
 * a node for the namespace of this component. The child nodes are the workloads in the namespace. The result also
 * contains one node per namespace in `spec.namespaces`, and one node per set of pods in `spec.workloads`. Pure.
 */
export function nodesOfOthers(model: Model, snapshot: Snapshot): StatusNode[] {
  const installed = model.components.flatMap(({ id, delivery }) =>
    delivery.kind === "none" && delivery.podsIn !== null ? [namespaceNode(id, delivery.podsIn, model, snapshot)] : [],
  );
  const declared = namespacesOfOthers(model.environment);
  return [
    ...installed,
    ...declared.map(([name, namespace]) => declaredNode(name, namespace, snapshot)),
    ...describedNodes(model, snapshot),
  ];
}

/**
 * Returns the state of a namespace that another tool creates. Checks that the namespace exists, and that the namespace
 * has the annotations in `spec.namespaces`.
 */
function declaredNode(name: string, declared: DeclaredNamespace, { namespaces }: Snapshot): StatusNode {
  const node = { kind: "Namespace", namespace: "", name, detail: null, children: [] };
  const found = namespaces.find(({ metadata }) => metadata.name === name);
  if (found === undefined) {
    const reason =
      "the namespace does not exist; another tool must create it, because spec.namespaces sets create: false for this namespace";
    return { ...node, state: "missing", cause: { code: "namespace-missing", reason, fix: "create the namespace" } };
  }
  const differences = annotationDifferences(declared, found.metadata.annotations ?? {});
  if (differences.length === 0) return { ...node, state: "ready", detail: "as declared", cause: null };
  const fix = "correct these annotations with the tool that creates the namespace, or correct spec.namespaces";
  return { ...node, state: "failed", cause: { code: "namespace-setting", reason: differences.join("; "), fix } };
}

function namespaceNode(component: string, name: string, { environment }: Model, snapshot: Snapshot): StatusNode {
  const node = { kind: "Namespace", namespace: "", name };
  const workloads = snapshot.workloads.filter(({ metadata }) => metadata.namespace === name);
  if (workloads.length === 0)
    return { ...node, state: "missing", detail: null, cause: notInstalled(component, name), children: [] };
  const owner = { environment: environment.metadata.name, placement: placementOf(environment), component };
  const children = workloads.map((workload) => workloadNode(workload, snapshot, owner));
  const versions = versionsOf(workloads);
  const count = plural(workloads.length, "workload");
  const detail = [...versions, count].join(", ");
  const culprit = children.find(({ state }) => state !== "ready");
  if (culprit !== undefined) {
    const reason = `${culprit.kind} ${culprit.name} is not ready`;
    const cause: Cause = { code: "health", reason, fix: `see the reason reported for ${culprit.kind} ${culprit.name}` };
    return { ...node, state: culprit.state, detail, cause, children };
  }
  const cause = otherFact(component, versions, environment, snapshot);
  return { ...node, state: cause === null ? "ready" : "failed", detail, cause, children };
}

/**
 * Returns a cause if Linkerd's version, cluster domain or trust domain in the spec differs from the one in the cluster;
 * otherwise null. A value that the snapshot does not contain is not compared.
 */
function otherFact(component: string, versions: readonly string[], environment: Environment, snapshot: Snapshot): Cause | null {
  const { version, clusterDomain, identity } = environment.spec.linkerd;
  const found = component === "linkerd-control-plane" ? domainsOf(snapshot) : {};
  const facts = [
    { field: "version", declared: version, found: versions.find((each) => each !== version) },
    { field: "clusterDomain", declared: clusterDomain, found: found.clusterDomain },
    { field: "identity.trustDomain", declared: identity.trustDomain, found: found.trustDomain },
  ];
  const wrong = facts.find((fact) => fact.found !== undefined && fact.found !== fact.declared);
  return wrong === undefined ? null : wrongFact(wrong.field, String(wrong.found), wrong.declared, environment.metadata.name);
}

/**
 * Returns the cluster domain and the trust domain from the control plane's chart values. If the values do not set a
 * trust domain, the trust domain is the cluster domain (values.yaml). Returns an empty object if the snapshot does not
 * contain these domains.
 */
function domainsOf({ linkerdConfig }: Snapshot): { readonly clusterDomain?: string; readonly trustDomain?: string } {
  const text = at(linkerdConfig, "data", "values");
  if (typeof text !== "string") return {};
  const { clusterDomain, identityTrustDomain } = asMap(parse(text));
  if (typeof clusterDomain !== "string") return {};
  const own = typeof identityTrustDomain === "string" && identityTrustDomain !== "" ? identityTrustDomain : clusterDomain;
  return { clusterDomain, trustDomain: own };
}

/**
 * Returns the versions of Linkerd's own workloads, each version once. In all Linkerd releases, the charts set a label
 * with the version on these workloads.
 */
function versionsOf(workloads: readonly KubernetesObject[]): string[] {
  const own = workloads.filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/part-of"] === "Linkerd");
  const versions = own.flatMap(({ metadata }) => metadata.labels?.["app.kubernetes.io/version"] ?? []);
  return [...new Set(versions)];
}

function notInstalled(component: string, namespace: string): Cause {
  return {
    code: "missing",
    reason: `namespace ${namespace} contains no workload, but the spec declares that another tool installs ${component} in this namespace`,
    fix: `install ${component} with your own tool, or correct spec.linkerd`,
  };
}

function wrongFact(field: string, found: string, declared: string, environment: string): Cause {
  return {
    code: "linkerd-fact",
    reason:
      field === "version"
        ? `Linkerd ${found} runs in this namespace, but the spec declares ${declared}`
        : `linkerd.${field} is ${found} in the cluster, but the spec declares ${declared}`,
    fix: `set linkerd.${field}: ${found} in ${specFile(environment)}, run meshops generate, and push`,
  };
}
