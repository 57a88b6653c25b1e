import { helmReleaseName, isHelmRelease } from "../../../bundle/emit/helmfile.ts";
import { placementOf } from "../../../bundle/emit/placement.ts";
import type { ComponentModel, Model } from "../../../components/model.ts";
import type { Environment } from "../../../spec/environment.generated.ts";
import type { ClusterReader } from "../../connection.ts";
import type { Cause } from "../cause.ts";
import { type StatusNode, workloadNode } from "../node.ts";
import { nodesOfOthers } from "../of-others.ts";
import type { Snapshot } from "../snapshot.ts";
import { customDrift, type Drift } from "./drift.ts";
import { type StoredRelease, storedReleases } from "./stored-release.ts";

/** The Helm releases of an environment, and the custom resources that differ from their Helm releases. */
export interface HelmState {
  readonly releases: readonly StoredRelease[];
  readonly drift: readonly Drift[];
}

/**
 * Reads the Helm releases that helmfile installs, and finds the custom resources of these releases that have changed in
 * the cluster. @throws UserError if the user is not allowed to read Secrets
 */
export async function readHelmState(cluster: ClusterReader, { components }: Model): Promise<HelmState> {
  const own = components.filter(isHelmRelease);
  const all = await storedReleases(cluster, [...new Set(own.map(({ namespace }) => namespace))]);
  const releases = all.filter(({ name, namespace }) =>
    own.some((component) => helmReleaseName(component) === name && component.namespace === namespace),
  );
  const drift = await Promise.all(releases.map((release) => customDrift(cluster, release)));
  return { releases, drift: drift.flat() };
}

/**
 * Returns the state of an environment that helmfile installs. The result contains one node per Helm release. The child
 * nodes are the workloads of the release, and those custom resources of the release that have drifted. The result also
 * contains the nodes of the objects that other tools provide. Pure.
 */
export function assessHelmfile(model: Model, snapshot: Snapshot, helm: HelmState): StatusNode[] {
  const { environment } = model;
  const releases = model.components.filter(isHelmRelease).map((component) => releaseNode(component, environment, snapshot, helm));
  return [...nodesOfOthers(model, snapshot), ...releases];
}

function releaseNode(component: ComponentModel, environment: Environment, snapshot: Snapshot, helm: HelmState): StatusNode {
  const { namespace } = component;
  const name = helmReleaseName(component);
  const node = { kind: "Release", namespace, name };
  const sync = `helmfile -e ${environment.metadata.name} -l name=${name} sync`;
  const release = helm.releases.find((each) => each.name === name && each.namespace === namespace);
  if (release === undefined) {
    const cause: Cause = { code: "missing", reason: "helmfile has not installed the Helm release", fix: sync };
    return { ...node, state: "missing", detail: null, cause, children: [] };
  }
  const drift = helm.drift.filter((each) => each.release === name).map((each) => driftNode(each, environment));
  const workloads = workloadsOf(snapshot, name, namespace).map((workload) =>
    workloadNode(workload, snapshot, {
      environment: environment.metadata.name,
      placement: placementOf(environment),
      component: component.id,
    }),
  );
  const children = [...workloads, ...drift];
  const detail = `${release.chart}, revision ${release.revision}`;
  if (release.status !== "deployed") {
    const cause: Cause = {
      code: release.status.startsWith("pending") ? "helm-locked" : "unknown",
      reason: `the status of the Helm release is ${release.status}`,
      fix: release.status.startsWith("pending")
        ? `check that helmfile is not running, then run helm rollback ${name} --namespace ${namespace}, and then run ${sync}`
        : `run helm history ${name} --namespace ${namespace} to see the error, and then run ${sync}`,
    };
    return { ...node, state: "failed", detail, cause, children };
  }
  const culprit = children.find(({ state }) => state !== "ready");
  if (culprit === undefined) return { ...node, state: "ready", detail, cause: null, children };
  const cause: Cause = {
    code: "health",
    reason: `${culprit.kind} ${culprit.name} is not ready`,
    fix: `see the reason reported for ${culprit.kind} ${culprit.name}`,
  };
  return { ...node, state: culprit.state, detail, cause, children };
}

function workloadsOf({ workloads }: Snapshot, release: string, namespace: string): Snapshot["workloads"] {
  return workloads.filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.annotations?.["meta.helm.sh/release-name"] === release,
  );
}

function driftNode({ release, kind, group, namespace, name, fields }: Drift, { metadata, spec }: Environment): StatusNode {
  const [first, ...others] = fields;
  const more =
    others.length === 0 ? "" : `, and ${others.length} more ${others.length === 1 ? "field differs" : "fields differ"}`;
  const never = spec.helmfile.helmVersion === 3 ? "; with Helm 3, helmfile sync does not correct the object" : "";
  const text = (value: unknown): string => JSON.stringify(value) ?? "not set";
  const reason =
    first === undefined
      ? "the object does not exist in the cluster; the next helmfile sync will create the object"
      : `${first.path} is ${text(first.found)} in the cluster but ${text(first.wanted)} in the Helm release${more}${never}`;
  // Server-side apply does not remove a field that another program has added, so kubectl patch must remove the field.
  const added = fields.filter(({ wanted }) => wanted === undefined);
  const removal = added.map(({ path }) => ({ op: "remove", path: `/${path.replaceAll(".", "/")}` }));
  const fix = [
    ...(added.length === fields.length && added.length > 0
      ? []
      : [
          `helmfile -e ${metadata.name} -l name=${release} template | kubectl apply --server-side --force-conflicts --field-manager=helm --namespace ${namespace} -f -`,
        ]),
    ...(removal.length === 0
      ? []
      : [
          `kubectl patch ${kind.toLowerCase()}.${group} ${name} --namespace ${namespace} --type json --patch '${JSON.stringify(removal)}'`,
        ]),
  ].join(" && ");
  return {
    kind,
    namespace,
    name,
    state: "failed",
    detail: null,
    cause: { code: "drift", reason: reason.slice(0, 300), fix },
    children: [],
  };
}
