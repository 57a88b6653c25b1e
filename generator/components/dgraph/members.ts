import { type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { ChangedObject } from "../change-rule.ts";
import { nameInRelease } from "./names.ts";

/** A Helm release of Dgraph in a cluster. */
export interface RunningDgraph {
  readonly namespace: string;
  /** Name of the Helm release. */
  readonly release: string;
  readonly alphas: number;
  readonly zeros: number;
}

/** Name of the Helm release that a HelmRelease installs. */
export function releaseName(helmRelease: ChangedObject["before"]): string {
  return String(at(helmRelease, "spec", "releaseName"));
}

/** Name of the StatefulSet of a role. The Service of the role and the container in each pod have the same name. */
export function memberName({ release }: RunningDgraph, role: DgraphRole): string {
  return nameInRelease(release, role);
}

/** Returns the plural name of a role with its article, for messages. */
export function title(role: DgraphRole): string {
  return role === "alpha" ? "the Alphas" : "the Zeros";
}

/** Returns the indexes of pods from `from` to `count - 1`, separated by spaces, for the `for` loop of a shell. */
export function indices(count: number, from = 0): string {
  return Array.from({ length: count - from }, (_, index) => from + index).join(" ");
}

/** Returns the start of a command that runs in a pod: `kubectl exec … --`. */
export function inPod(dgraph: RunningDgraph, role: DgraphRole, index: number): string {
  const name = memberName(dgraph, role);
  return `kubectl exec ${name}-${index} --namespace ${dgraph.namespace} --container ${name} --`;
}

/** Returns a command that requests a path of the HTTP API of the first Zero. */
export function askZero(dgraph: RunningDgraph, path: string): string {
  return `${inPod(dgraph, "zero", 0)} curl -sS "localhost:${dgraphPorts.zero.http}${path}"`;
}
