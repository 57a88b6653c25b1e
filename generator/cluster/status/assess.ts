import { normalize } from "node:path/posix";
import { kustomizationName, type Placement, pathInSource, placementOf } from "../../bundle/emit/placement.ts";
import { isOci } from "../../catalog/repositories.ts";
import type { Release } from "../../components/component.ts";
import { type ComponentModel, isDelivered, type Model, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition, isObserved, listAt } from "../../kubernetes/object-fields.ts";
import { isLive } from "../../mesh/pod.ts";
import { overlayFolder } from "../../spec/layout.ts";
import { type Cause, causeOf, type Subject, unknownCause } from "./cause.ts";
import { type StatusNode, workloadNode } from "./node.ts";
import { nodesOfOthers } from "./of-others.ts";
import { kustomizationIn, type Snapshot, sourceIn } from "./snapshot.ts";

/**
 * Returns the state of an environment in a cluster. The result contains these nodes, in this order: the source, the
 * root Kustomization, the objects that other tools provide, and the components that meshops delivers, in startup order.
 * If meshops delivers no component, the result contains only the objects that other tools provide. Pure.
 *
 * @param placement location of the Flux objects of the environment
 */
export function assess(model: Model, snapshot: Snapshot, placement: Placement = placementOf(model.environment)): StatusNode[] {
  const environment = model.environment.metadata.name;
  const delivered = model.components.filter(isDelivered);
  if (delivered.length === 0) return nodesOfOthers(model, snapshot);
  const { source, root } = placement;
  const subject = (component: string, kind: string, namespace: string, name: string): Subject => ({
    environment,
    placement,
    component,
    kind,
    namespace,
    name,
  });
  const git = sourceNode(subject(source.name, source.kind, source.namespace, source.name), snapshot);
  const top = kustomizationNode([], subject(root.name, "Kustomization", root.namespace, root.name), snapshot);
  const components = delivered.map((component) => componentNode(component, snapshot, placement, environment, subject));
  return [git, top, ...nodesOfOthers(model, snapshot), ...components];
}

function sourceNode(subject: Subject, snapshot: Snapshot): StatusNode {
  const found = sourceIn(snapshot, subject);
  return found === undefined ? missing(subject) : fluxNode(found, subject, revisionOf(found));
}

function componentNode(
  component: ComponentModel,
  snapshot: Snapshot,
  placement: Placement,
  environment: string,
  subjectOf: (...words: [string, string, string, string]) => Subject,
): StatusNode {
  const { id: name, namespace } = component;
  const release = releaseOf(component);
  const objectName = fluxName(name);
  const found = snapshot.releases.find(({ metadata }) => metadata.name === objectName && metadata.namespace === namespace);
  const workloads = workloadsOf(component, snapshot, placement).map((workload) =>
    workloadNode(workload, snapshot, { environment, placement, component: name }),
  );
  const subject = subjectOf(name, "HelmRelease", namespace, objectName);
  const children =
    release === null
      ? workloads
      : [
          sourceNode(
            subjectOf(name, isOci(release.repository) ? "OCIRepository" : "HelmRepository", namespace, objectName),
            snapshot,
          ),
          found === undefined ? missing(subject) : releaseNode(found, subject, release),
          ...workloads,
        ];
  const own = subjectOf(name, "Kustomization", placement.namespace, kustomizationName(placement, name));
  const node = kustomizationNode(children, own, snapshot);
  const wanted = pathInSource(placement, overlayFolder(environment, name));
  return withoutPolicies(ofOtherPath(node, wanted, kustomizationIn(snapshot, own)), component, snapshot);
}

/**
 * Marks a Kustomization as failed if its `spec.path` in the cluster differs from its `spec.path` in the generated
 * files.
 */
function ofOtherPath(node: StatusNode, wanted: string, found: KubernetesObject | undefined): StatusNode {
  const path = at(found, "spec", "path");
  if (path === undefined || normalize(String(path)) === normalize(wanted)) return node;
  const cause: Cause = {
    code: "foreign",
    reason: `in the cluster, spec.path of this Kustomization is ${String(path)}; in the generated files, it is ${wanted}`,
    fix: "commit and push the generated files; if another environment or repository generated this Kustomization, set gitops.namePrefix in the spec to give the two Kustomizations different names",
  };
  return { ...node, state: "failed", cause };
}

/**
 * If Flux has never applied the NetworkPolicies of a component, but the namespace of the component already contains
 * pods, adds a warning to the cause of the component. The warning reports that every pod in the cluster can connect to
 * these pods.
 */
function withoutPolicies(node: StatusNode, { namespace, objects }: ComponentModel, snapshot: Snapshot): StatusNode {
  const policies = Object.values(objects).some((file) => file.some(({ kind }) => kind === "NetworkPolicy"));
  const found = kustomizationIn(snapshot, node);
  const exposed = snapshot.pods.some((pod) => pod.metadata.namespace === namespace && isLive(pod));
  if (!policies || !exposed || node.cause === null || at(found, "status", "lastAppliedRevision") !== undefined) return node;
  const reason = `${node.cause.reason}; the policies of this component are not applied, so every pod in the cluster can connect to the pods in namespace ${namespace}`;
  return { ...node, cause: { ...node.cause, reason } };
}

/**
 * Returns the state of a Kustomization. While Flux waits until the applied objects are ready, the status of the
 * Kustomization does not show which object is not ready. Therefore, the returned cause contains the name of the first
 * object that is not ready.
 */
function kustomizationNode(below: readonly StatusNode[], subject: Subject, snapshot: Snapshot): StatusNode {
  const found = kustomizationIn(snapshot, subject);
  if (found === undefined) return missing(subject);
  const applied = fluxNode(found, subject, revision(at(found, "status", "lastAppliedRevision")));
  const node = markOutdated(found, applied, sourceIn(snapshot, subject.placement.source));
  // If the cause has one of these codes, Flux has not applied the Kustomization yet, so missing children are expected.
  const early =
    node.cause !== null && ["dependency", "build-failed", "age-key-missing", "age-key-wrong", "source"].includes(node.cause.code);
  const children = early ? below.filter(({ state }) => state !== "missing") : below;
  const culprit = node.state === "ready" || early ? undefined : children.find(({ cause }) => cause !== null);
  if (culprit === undefined) return { ...node, children };
  const cause: Cause = {
    code: "health",
    reason: `waits for ${culprit.kind} ${culprit.name}`,
    fix: `see the reason reported for ${culprit.kind} ${culprit.name}`,
  };
  return { ...node, state: culprit.state === "failed" ? "failed" : node.state, cause, children };
}

/**
 * Whether `spec.sourceRef` of a Kustomization refers to the source. If meshops does not manage the root Kustomization,
 * the root Kustomization can refer to another source. Returns true if the source or the `sourceRef` is unknown.
 */
function readsFrom(kustomization: KubernetesObject, source: KubernetesObject | undefined): boolean {
  const reference = at(kustomization, "spec", "sourceRef");
  if (source === undefined || reference === undefined) return true;
  const namespace = at(reference, "namespace") ?? kustomization.metadata.namespace;
  return at(reference, "name") === source.metadata.name && namespace === source.metadata.namespace;
}

/** Marks a ready Kustomization as progressing if Flux has fetched a commit, but has not applied this commit yet. */
function markOutdated(kustomization: KubernetesObject, node: StatusNode, source: KubernetesObject | undefined): StatusNode {
  const [has, wants] = [at(kustomization, "status", "lastAppliedRevision"), at(source, "status", "artifact", "revision")];
  if (node.state !== "ready" || wants === undefined || has === wants || !readsFrom(kustomization, source)) return node;
  return {
    ...node,
    state: "progressing",
    cause: progress(
      `Flux has fetched revision ${revision(wants)}, but the applied revision is still ${revision(has) ?? "unknown"}`,
    ),
  };
}

function releaseNode(object: KubernetesObject, subject: Subject, { chart, version }: Release): StatusNode {
  const spec = at(object, "spec", "chart", "spec");
  const wanted = String(at(spec, "version") ?? version);
  // helm-controller appends the digest to the version of a chart from an OCIRepository.
  const runs = String(at(listAt(object, "status", "history")[0], "chartVersion") ?? wanted).replace(/\+[0-9a-f]{12}$/, "");
  return fluxNode(object, subject, `${String(at(spec, "chart") ?? chart)} ${runs === wanted ? wanted : `${runs} to ${wanted}`}`);
}

/** Returns the state of a Flux object from its conditions. */
function fluxNode(object: KubernetesObject, subject: Subject, detail: string | null): StatusNode {
  const { kind, namespace, name } = subject;
  const node = { kind, namespace, name, detail, children: [] };
  if (object.metadata.deletionTimestamp !== undefined)
    return { ...node, state: "progressing", cause: { code: "deleted", reason: "the object is being deleted", fix: wait } };
  if (at(object, "spec", "suspend") === true) {
    const fix = `flux resume ${kind.toLowerCase()} ${name} --namespace ${namespace}`;
    return {
      ...node,
      state: "suspended",
      cause: { code: "suspended", reason: "reconciliation is suspended: Flux does not apply new commits", fix },
    };
  }
  const ready = condition(object, "Ready");
  // A HelmRepository of type oci has no status, because Flux does not fetch an index from an OCI registry.
  if (ready?.status === "True" || (ready === undefined && at(object, "spec", "type") === "oci"))
    return isObserved(object)
      ? { ...node, state: "ready", cause: null }
      : { ...node, state: "progressing", cause: progress("Flux has not reconciled the latest spec of the object yet") };
  const failure = failureOf(object);
  const cause = failure === null ? null : (causeOf(failure, subject) ?? unknownCause(failure, subject));
  if (cause === null)
    return { ...node, state: "progressing", cause: progress(ready?.message ?? "Flux has not reconciled the object yet") };
  if (cause.code === "progressing") return { ...node, state: "progressing", cause };
  const exhausted = condition(object, "Stalled")?.status === "True" && kind === "HelmRelease" && !cause.fix.includes("--reset");
  const again = exhausted
    ? { ...cause, fix: `${cause.fix}; then run flux reconcile helmrelease ${name} -n ${namespace} --reset` }
    : cause;
  return { ...node, state: cause.code === "dependency" ? "waiting" : "failed", cause: again };
}

/**
 * Returns the error of an object that is not ready. Returns null if the object reports no error yet. While
 * helm-controller retries, the condition Ready is Unknown. After helm-controller has rolled back the release, the
 * condition Ready contains a message about the rollback. In both cases, the condition Released contains the error.
 */
function failureOf(object: KubernetesObject): string | null {
  const [ready, released] = [condition(object, "Ready"), condition(object, "Released")];
  if (released?.status === "False") return released.message ?? "";
  return ready?.status === "False" ? (ready.message ?? "") : null;
}

const wait = "wait; to follow the progress, run meshops status --watch";

function progress(reason: string): Cause {
  return { code: "progressing", reason, fix: wait };
}

/**
 * Returns the workloads of a component. Finds these workloads by a label that Flux sets on each object that Flux
 * applies. The value of this label is the name of the Kustomization or HelmRelease of the object.
 */
function workloadsOf(component: ComponentModel, { workloads }: Snapshot, placement: Placement): KubernetesObject[] {
  const { id, namespace } = component;
  const [label, name] =
    releaseOf(component) === null
      ? ["kustomize.toolkit.fluxcd.io/name", kustomizationName(placement, id)]
      : ["helm.toolkit.fluxcd.io/name", fluxName(id)];
  return workloads.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[label] === name);
}

function missing({ environment, placement, kind, namespace, name }: Subject): StatusNode {
  const { root, managesRoot } = placement;
  const isNamed = (object: { readonly name: string; readonly namespace: string }): boolean =>
    object.name === name && object.namespace === namespace;
  const first = kind === "Kustomization" ? isNamed(root) : kind === placement.source.kind && isNamed(placement.source);
  const fix = first
    ? managesRoot
      ? `run meshops bootstrap ${environment}`
      : `create this ${kind}, or correct ${kind === "Kustomization" ? "gitops.root" : "gitops.sourceRef"} in the spec`
    : kind === "Kustomization"
      ? "commit and push the generated files; if the object is still missing, see the reason reported for the root Kustomization"
      : `see the reason reported for the Kustomization that creates this ${kind}`;
  return {
    kind,
    namespace,
    name,
    state: "missing",
    detail: null,
    children: [],
    cause: { code: "missing", reason: "the object does not exist in the cluster", fix },
  };
}

function revisionOf(source: KubernetesObject): string | null {
  return revision(at(source, "status", "artifact", "revision"));
}

/**
 * Converts the revision `main@sha1:<commit>` to the branch and the short commit. Returns null if the revision is only a
 * digest (`sha256:…`), or if the value is not a string. Returns all other revisions unchanged.
 */
function revision(value: unknown): string | null {
  return typeof value === "string"
    ? value.replace(/@sha1:([0-9a-f]{7})[0-9a-f]*$/, " $1").replace(/^sha256:.*$/, "") || null
    : null;
}
