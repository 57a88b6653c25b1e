import { type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import { asMap } from "../../system/data.ts";
import type { ChangedObject, Step } from "../change-rule.ts";
import { nameInRelease } from "./names.ts";

/** A Helm release of Dgraph in a cluster. */
export interface RunningDgraph {
  readonly namespace: string;
  /** Name of the Helm release. */
  readonly release: string;
  readonly alphas: number;
  readonly zeros: number;
}

/** New size of the volumes of a role. */
export interface Resize {
  readonly role: DgraphRole;
  readonly size: string;
}

/**
 * Returns the steps that remove Dgraph before its spec is removed. Afterwards, Flux has nothing left to remove but the
 * policies.
 */
export function uninstall({ namespace, before }: Pick<ChangedObject, "namespace" | "before">): Step[] {
  const release = String(asMap(before["spec"])["releaseName"]);
  return [
    { text: 'If you still need the data, export it first (Dgraph documentation, "Export Database").' },
    {
      text: "Suspend the Kustomization. Otherwise, Flux creates the HelmRelease again.",
      command: `kubectl patch kustomization.kustomize.toolkit.fluxcd.io dgraph --namespace flux-system --type merge --patch '{"spec":{"suspend":true}}'`,
    },
    { text: "Uninstall Dgraph. The volumes are kept.", command: `kubectl delete helmrelease dgraph --namespace ${namespace}` },
    { text: "Push, and wait until Flux has removed the Kustomizations of Dgraph." },
    {
      text: "Delete the volumes, when you no longer need the data.",
      command: `kubectl delete pvc --namespace ${namespace} --selector app=dgraph,release=${release}`,
    },
  ];
}

/**
 * Returns the steps for a change of a StatefulSet's immutable fields. The HelmRelease is suspended first: otherwise,
 * Flux's drift detection creates the deleted StatefulSet again from the old chart.
 *
 * @param roles roles whose StatefulSets must be created again
 */
export function recreateStatefulSets(
  dgraph: RunningDgraph,
  roles: readonly DgraphRole[],
  resizes: readonly Resize[] = [],
): Step[] {
  const { namespace, alphas, zeros } = dgraph;
  const helmRelease = `helmrelease dgraph --namespace ${namespace}`;
  const suspend = (value: boolean): string => `kubectl patch ${helmRelease} --type merge --patch '{"spec":{"suspend":${value}}}'`;
  return [
    {
      text: "Suspend the HelmRelease. Otherwise, Flux creates the deleted StatefulSets again from the old chart.",
      command: suspend(true),
    },
    ...resizes.map(({ role, size }) => ({
      text: `Resize the existing volumes of ${title(role)}. The storage class must allow this (allowVolumeExpansion).`,
      command: `for i in ${indices(role === "alpha" ? alphas : zeros)}; do kubectl patch pvc datadir-${nameOf(dgraph, role)}-$i --namespace ${namespace} --patch '{"spec":{"resources":{"requests":{"storage":"${size}"}}}}'; done`,
    })),
    {
      text: "Delete the StatefulSets, but keep their pods and volumes.",
      command: `kubectl delete statefulset ${roles.map((role) => nameOf(dgraph, role)).join(" ")} --namespace ${namespace} --cascade=orphan`,
    },
    {
      text: "Store the generation of the HelmRelease.",
      command: `generation=$(kubectl get ${helmRelease} --output jsonpath={.metadata.generation})`,
    },
    {
      text: "Push, and wait until Flux has changed the HelmRelease.",
      command: `kubectl wait ${helmRelease} --for=jsonpath='{.metadata.generation}'=$((generation + 1)) --timeout=15m`,
    },
    { text: "Resume the HelmRelease.", command: suspend(false) },
  ];
}

/**
 * Returns the steps that move the data to another version of Dgraph: an export from the running Alphas, a new Helm
 * release with empty volumes, and an import (docs.dgraph.io, "Upgrade Database"). The old volumes are kept, so the old
 * version can be installed again.
 *
 * @param next name of the Helm release after the change; if it is the same, the steps ask for a new name
 */
export function moveData(old: RunningDgraph, next: string): Step[] {
  const { namespace, alphas, release } = old;
  const renamed = next === release ? `${release}-new` : next;
  const target = { ...old, release: renamed };
  const inPod = (dgraph: RunningDgraph, index: number): string =>
    `kubectl exec ${nameOf(dgraph, "alpha")}-${index} --namespace ${namespace} --container ${nameOf(dgraph, "alpha")} --`;
  const { alpha, zero } = dgraphPorts;
  // Each group exports its data and its schema to a pair of files (dgraph v24.1.4, worker/export.go).
  const load = `for f in $(find /dgraph/import -name "*.rdf.gz"); do dgraph live --files $f --schema $(dirname $f)/$(basename $f .rdf.gz).schema.gz --alpha localhost:${alpha.grpc} --zero ${nameOf(target, "zero")}:${zero.internal}; done`;
  return [
    {
      text: "Stop all clients that write. Start an export.",
      command: `${inPod(old, 0)} curl -sS -H "Content-Type: application/graphql" localhost:${alpha.http}/admin -d 'mutation { export(input: {format: "rdf"}) { response { code message } } }'`,
    },
    {
      text: "Copy the export. Each group of Alphas writes its part on one of its members. Check that the export is complete: each group has the files gNN.rdf.gz and gNN.schema.gz.",
      command: `for i in ${indices(alphas)}; do kubectl cp ${nameOf(old, "alpha")}-$i:/dgraph/export dgraph-export --namespace ${namespace} --container ${nameOf(old, "alpha")}; done; find dgraph-export -type f`,
    },
    {
      text:
        next === release
          ? `In the spec, change dgraph.chart, and set dgraph.release to a new name, such as ${renamed}. The new pods start with empty volumes, and the old volumes are kept. Generate, push, and wait until Dgraph is ready.`
          : "Push, and wait until Dgraph is ready. The new pods start with empty volumes, and the old volumes are kept.",
    },
    {
      text: "Copy the export into an Alpha.",
      command: `kubectl cp dgraph-export ${nameOf(target, "alpha")}-0:/dgraph/import --namespace ${namespace} --container ${nameOf(target, "alpha")}`,
    },
    { text: "Import the export.", command: `${inPod(target, 0)} sh -c '${load}'` },
    {
      text: "Compare the data, start the clients again, and delete the old volumes when you no longer need them.",
      command: `kubectl delete pvc --namespace ${namespace} --selector app=dgraph,release=${release}`,
    },
  ];
}

function nameOf({ release }: RunningDgraph, role: DgraphRole): string {
  return nameInRelease(release, role);
}

function title(role: DgraphRole): string {
  return role === "alpha" ? "the Alphas" : "the Zeros";
}

function indices(count: number): string {
  return Array.from({ length: count }, (_, index) => index).join(" ");
}
