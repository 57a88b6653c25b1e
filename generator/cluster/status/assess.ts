import { flux } from "../../bundle/emit/names.ts";
import { repositoriesOf } from "../../bundle/emit/repositories.ts";
import { type ComponentModel, type Model, releaseOf } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition, isObserved, listAt } from "../../kubernetes/object-fields.ts";
import { type Cause, causeOf, type Subject, unknownCause } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";
import { workloadState } from "./workload.ts";

export type NodeState = "ready" | "progressing" | "waiting" | "failed" | "suspended" | "missing";

/** An object of the environment, how it stands, and what stands below it. */
export interface StatusNode {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: NodeState;
  /** What it is at: a revision, a chart, replicas; null where there is nothing to say. */
  readonly detail: string | null;
  /** Why it is not ready; null where it is. */
  readonly cause: Cause | null;
  readonly children: readonly StatusNode[];
}

/**
 * How an environment stands in a cluster: the source, the root, and each component in the order in which they come up. Pure.
 *
 * @param fluxNamespace where Flux lives
 */
export function assess(model: Model, snapshot: Snapshot, fluxNamespace: string = flux.namespace): StatusNode[] {
  const environment = model.environment.metadata.name;
  const subject = (component: string, kind: string, namespace: string, name: string): Subject => ({
    environment,
    component,
    kind,
    namespace,
    name,
  });
  const wanted = [
    ["GitRepository", flux.source] as const,
    ...repositoriesOf(model).map(({ name }) => ["HelmRepository", name] as const),
  ];
  const sources = wanted.map(([kind, name]) => {
    const found = snapshot.sources.find((source) => source.kind === kind && source.metadata.name === name);
    const words = subject(name, kind, fluxNamespace, name);
    return found === undefined ? missing(words) : fluxNode(found, words, revisionOf(found));
  });
  const root = kustomizationNode(flux.root, [], subject(flux.root, "Kustomization", fluxNamespace, flux.root), snapshot);
  const components = model.components.map((component) => componentNode(component, environment, snapshot, fluxNamespace, subject));
  return [...sources, root, ...components];
}

/** Whether everything is ready. */
export function isSettled(nodes: readonly StatusNode[]): boolean {
  return nodes.every(({ state, children }) => state === "ready" && isSettled(children));
}

function componentNode(
  component: ComponentModel,
  environment: string,
  snapshot: Snapshot,
  fluxNamespace: string,
  subjectOf: (...words: [string, string, string, string]) => Subject,
): StatusNode {
  const { id: name, namespace } = component;
  const hasRelease = releaseOf(component) !== null;
  const found = !hasRelease
    ? undefined
    : snapshot.releases.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const workloads = workloadsOf(component, snapshot).map((workload) =>
    workloadNode(workload, snapshot, { environment, component: name }),
  );
  const children = !hasRelease
    ? workloads
    : [
        found === undefined
          ? missing(subjectOf(name, "HelmRelease", namespace, name))
          : releaseNode(found, subjectOf(name, "HelmRelease", namespace, name)),
        ...workloads,
      ];
  const node = kustomizationNode(name, children, subjectOf(name, "Kustomization", fluxNamespace, name), snapshot);
  return withoutPolicies(node, component, snapshot);
}

/** Adds to a component that has never been applied that its policies do not protect anything yet. */
function withoutPolicies(node: StatusNode, { id: name, namespace, objects }: ComponentModel, snapshot: Snapshot): StatusNode {
  const policies = Object.values(objects).some((file) => file.some(({ kind }) => kind === "NetworkPolicy"));
  const found = snapshot.kustomizations.find(({ metadata }) => metadata.name === name);
  if (!policies || node.cause === null || at(found, "status", "lastAppliedRevision") !== undefined) return node;
  const reason = `${node.cause.reason}; its policies are not applied, so every pod of the cluster can reach ${namespace}`;
  return { ...node, cause: { ...node.cause, reason } };
}

/** A Kustomization that waits says only that it does: what it waits for is below it. */
function kustomizationNode(name: string, below: readonly StatusNode[], subject: Subject, snapshot: Snapshot): StatusNode {
  const found = snapshot.kustomizations.find(({ metadata }) => metadata.name === name);
  if (found === undefined) return missing(subject);
  const node = behind(found, fluxNode(found, subject, revision(at(found, "status", "lastAppliedRevision"))), snapshot);
  // What is below may be the state before this Kustomization's turn has come.
  const early =
    node.cause !== null && ["dependency", "build-failed", "age-key-missing", "age-key-wrong", "source"].includes(node.cause.code);
  const children = early ? below.filter(({ state }) => state !== "missing") : below;
  const culprit = node.state === "ready" || early ? undefined : children.find(({ cause }) => cause !== null);
  if (culprit === undefined) return { ...node, children };
  const cause: Cause = { code: "health", reason: `waits for ${culprit.kind} ${culprit.name}`, fix: "see below" };
  return { ...node, state: culprit.state === "failed" ? "failed" : node.state, cause, children };
}

/** A Kustomization that is ready at an older commit than Flux has is not ready for this one. */
function behind(kustomization: KubernetesObject, node: StatusNode, { sources }: Snapshot): StatusNode {
  const source = sources.find(({ kind }) => kind === "GitRepository");
  const [has, wants] = [at(kustomization, "status", "lastAppliedRevision"), at(source, "status", "artifact", "revision")];
  if (node.state !== "ready" || wants === undefined || has === wants) return node;
  return {
    ...node,
    state: "progressing",
    cause: progress(`it is at ${revision(has) ?? "no commit"}, and Flux has ${revision(wants)}`),
  };
}

function releaseNode(release: KubernetesObject, subject: Subject): StatusNode {
  const chart = at(release, "spec", "chart", "spec");
  const wanted = String(at(chart, "version"));
  const runs = at(listAt(release, "status", "history")[0], "chartVersion");
  return fluxNode(
    release,
    subject,
    `${String(at(chart, "chart"))} ${runs === undefined || runs === wanted ? wanted : `${String(runs)} to ${wanted}`}`,
  );
}

/** An object with Flux's conditions. */
function fluxNode(object: KubernetesObject, subject: Subject, detail: string | null): StatusNode {
  const { kind, namespace, name } = subject;
  const node = { kind, namespace, name, detail, children: [] };
  if (object.metadata.deletionTimestamp !== undefined)
    return { ...node, state: "progressing", cause: { code: "deleted", reason: "it is being deleted", fix: wait } };
  if (at(object, "spec", "suspend") === true) {
    const fix = `flux resume ${kind.toLowerCase()} ${name} --namespace ${namespace}`;
    return {
      ...node,
      state: "suspended",
      cause: { code: "suspended", reason: "it is suspended: changes in Git do not reach it", fix },
    };
  }
  const ready = condition(object, "Ready");
  // A chart repository of type oci has no status: nothing fetches an index of it.
  if (ready?.status === "True" || (ready === undefined && at(object, "spec", "type") === "oci"))
    return isObserved(object)
      ? { ...node, state: "ready", cause: null }
      : { ...node, state: "progressing", cause: progress("its newest spec has not been looked at") };
  const failure = failureOf(object);
  const cause = failure === null ? null : (causeOf(failure, subject) ?? unknownCause(failure, subject));
  if (cause === null)
    return { ...node, state: "progressing", cause: progress(ready?.message ?? "Flux has not looked at it yet") };
  if (cause.code === "progressing") return { ...node, state: "progressing", cause };
  const exhausted = condition(object, "Stalled")?.status === "True" && kind === "HelmRelease" && !cause.fix.includes("--reset");
  const again = exhausted
    ? { ...cause, fix: `${cause.fix}; then flux reconcile helmrelease ${name} -n ${namespace} --reset` }
    : cause;
  return { ...node, state: cause.code === "dependency" ? "waiting" : "failed", cause: again };
}

/**
 * What an object that is not ready says went wrong; null where nothing has yet. helm-controller keeps the error in `Released` while it tries again
 * (Ready is Unknown then) and after it has rolled back (Ready tells of the rollback).
 */
function failureOf(object: KubernetesObject): string | null {
  const [ready, released] = [condition(object, "Ready"), condition(object, "Released")];
  if (released?.status === "False") return released.message ?? "";
  return ready?.status === "False" ? (ready.message ?? "") : null;
}

const wait = "wait; --watch does";

function progress(reason: string): Cause {
  return { code: "progressing", reason, fix: wait };
}

/** A workload, and its pods that are not ready. @param owner environment and component that it belongs to */
export function workloadNode(
  workload: KubernetesObject,
  snapshot: Snapshot,
  owner: Pick<Subject, "environment" | "component">,
): StatusNode {
  const { kind, metadata } = workload;
  const { name, namespace = "" } = metadata;
  const subject = { ...owner, kind, namespace, name };
  const { ready, replicas, readyReplicas, meshed, cause, pods } = workloadState(workload, snapshot, subject);
  const mesh = meshed === null ? "" : `, ${meshed} meshed`;
  const stateOf = (reason: Cause | null): NodeState =>
    reason === null || reason.code === "progressing" ? "progressing" : "failed";
  const children = pods.map(
    (pod): StatusNode => ({
      kind: "Pod",
      namespace,
      name: pod.name,
      state: stateOf(pod.cause),
      detail: null,
      cause: pod.cause,
      children: [],
    }),
  );
  const detail = `${readyReplicas}/${replicas}${mesh}`;
  return { kind, namespace, name, state: ready ? "ready" : stateOf(cause), detail, cause, children };
}

/** The workloads that a component brought, by the labels that Flux puts on what it applies. */
function workloadsOf(component: ComponentModel, { workloads }: Snapshot): KubernetesObject[] {
  const { id: name, namespace } = component;
  const label = releaseOf(component) === null ? "kustomize.toolkit.fluxcd.io/name" : "helm.toolkit.fluxcd.io/name";
  return workloads.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[label] === name);
}

function missing({ environment, kind, namespace, name }: Subject): StatusNode {
  const flow =
    kind === "HelmRelease"
      ? "its Kustomization brings it"
      : name === flux.root || kind === "GitRepository"
        ? `meshops bootstrap ${environment}`
        : "push what meshops generate wrote, and see the root Kustomization";
  return {
    kind,
    namespace,
    name,
    state: "missing",
    detail: null,
    children: [],
    cause: { code: "missing", reason: "it is not in the cluster", fix: flow },
  };
}

function revisionOf(source: KubernetesObject): string | null {
  return revision(at(source, "status", "artifact", "revision"));
}

/** `main@sha1:<commit>` with the commit cut short, as Git shows it. */
function revision(value: unknown): string | null {
  return typeof value === "string"
    ? value.replace(/@sha1:([0-9a-f]{7})[0-9a-f]*$/, " $1").replace(/^sha256:.*$/, "") || null
    : null;
}
