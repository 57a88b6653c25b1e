import { parse } from "yaml";
import { placementOf } from "../../bundle/emit/placement.ts";
import type { Model } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { annotationDifferences, type DeclaredNamespace, namespacesOfOthers } from "../../mesh/namespace-settings.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { specFile } from "../../spec/layout.ts";
import { asMap } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import type { Cause } from "./cause.ts";
import { describedNodes } from "./described.ts";
import { type StatusNode, workloadNode } from "./node.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the state of the objects that other tools provide. The result contains one node per namespace of a component
 * that another tool installs, with the workloads in this namespace. It also contains one node per declared namespace,
 * and one node per described set of pods. Pure.
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
 * Returns the state of a namespace that another tool creates. Checks that the namespace exists, and that it has the
 * annotations in `spec.namespaces`.
 */
function declaredNode(name: string, declared: DeclaredNamespace, { namespaces }: Snapshot): StatusNode {
  const node = { kind: "Namespace", namespace: "", name, detail: null, children: [] };
  const found = namespaces.find(({ metadata }) => metadata.name === name);
  if (found === undefined) {
    const reason = "the namespace does not exist, although create is false in spec.namespaces";
    return { ...node, state: "missing", cause: { code: "namespace-missing", reason, fix: "create the namespace" } };
  }
  const differences = annotationDifferences(declared, found.metadata.annotations ?? {});
  if (differences.length === 0) return { ...node, state: "ready", detail: "as declared", cause: null };
  const fix = "ask the owner to change the namespace, or correct spec.namespaces";
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
    const cause: Cause = { code: "health", reason, fix: "see the objects below this namespace" };
    return { ...node, state: culprit.state, detail, cause, children };
  }
  const cause = otherFact(component, versions, environment, snapshot);
  return { ...node, state: cause === null ? "ready" : "failed", detail, cause, children };
}

/**
 * Returns the cause if the spec declares a wrong fact about Linkerd. Returns null if the declared facts are true, or if
 * the real values are not known.
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

/** Domains in the values of the control plane's chart. An empty trust domain means the cluster domain (chart, values.yaml). */
function domainsOf({ linkerdConfig }: Snapshot): { readonly clusterDomain?: string; readonly trustDomain?: string } {
  const text = at(linkerdConfig, "data", "values");
  if (typeof text !== "string") return {};
  const { clusterDomain, identityTrustDomain } = asMap(parse(text));
  if (typeof clusterDomain !== "string") return {};
  const own = typeof identityTrustDomain === "string" && identityTrustDomain !== "" ? identityTrustDomain : clusterDomain;
  return { clusterDomain, trustDomain: own };
}

/** Versions of Linkerd's workloads, from the labels that its charts set (rendered charts of all releases). */
function versionsOf(workloads: readonly KubernetesObject[]): string[] {
  const own = workloads.filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/part-of"] === "Linkerd");
  const versions = own.flatMap(({ metadata }) => metadata.labels?.["app.kubernetes.io/version"] ?? []);
  return [...new Set(versions)];
}

function notInstalled(component: string, namespace: string): Cause {
  return {
    code: "missing",
    reason: `namespace ${namespace} contains no workload, although the spec declares that another tool installs ${component}`,
    fix: `install ${component} with that tool, or correct the section linkerd of the spec`,
  };
}

function wrongFact(field: string, found: string, declared: string, environment: string): Cause {
  return {
    code: "linkerd-fact",
    reason:
      field === "version"
        ? `Linkerd ${found} runs in this namespace, but the spec declares ${declared}`
        : `linkerd.${field} of this Linkerd is ${found}, but the spec declares ${declared}`,
    fix: `set linkerd.${field}: ${found} in ${specFile(environment)}, run meshops generate, and push`,
  };
}
