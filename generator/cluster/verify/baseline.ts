import { setTimeout as sleep } from "node:timers/promises";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { removalRank } from "../../mesh/policy-order.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";

const [apiVersion, kind] = ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"];

/** The Kustomization that delivers policies. */
interface PolicySource {
  readonly name: string;
  readonly namespace: string;
}

/** On a Kustomization that verify has suspended: who is killed half-way leaves it for the next run. */
const mark = "meshops.dev/verify-baseline";

/** Whether a run before this one left the policy suspended, which is then resumed. */
export async function resumeLeftOver(cluster: Cluster, source: PolicySource): Promise<boolean> {
  const found = await cluster.get(apiVersion, kind, source.name, source.namespace);
  if (found?.metadata.annotations?.[mark] === undefined) return false;
  await resume(cluster, source);
  return true;
}

/**
 * Takes the policy away while something is done, and brings it back, whatever comes between. Flux's Kustomization is suspended, and the
 * objects of its inventory are deleted; afterwards it is resumed, and waited for.
 *
 * @throws UserError where Flux does not bring the policy, or somebody has suspended it
 */
export async function withoutPolicy<T>(cluster: Cluster, source: PolicySource, action: () => Promise<T>): Promise<T> {
  const { name, namespace } = source;
  const found = await cluster.get(apiVersion, kind, name, namespace);
  if (found === null) throw new UserError(exitCode.missing, "Flux brings no policy here, so there is none to suspend");
  if (at(found, "spec", "suspend") === true)
    throw new UserError(exitCode.problem, `${name} is suspended by somebody else`, `flux resume kustomization ${name}`);
  const objects = listAt<{ id: string; v: string }>(found, "status", "inventory", "entries").map(inventoryObject);
  if (objects.length === 0) throw new UserError(exitCode.problem, `${name} has no inventory yet: meshops status`);
  await cluster.merge({
    apiVersion,
    kind,
    metadata: { name, namespace, annotations: { [mark]: new Date().toISOString() } },
    spec: { suspend: true },
  });
  try {
    for (const each of [...objects].sort(byRemoval)) await cluster.remove(each.apiVersion, each.kind, each.name, each.namespace);
    return await action();
  } finally {
    await resume(cluster, source);
    await untilBack(cluster, objects, name);
  }
}

async function resume(cluster: Cluster, { name, namespace }: PolicySource): Promise<void> {
  const annotations = { [mark]: null, "reconcile.fluxcd.io/requestedAt": new Date().toISOString() };
  await cluster.merge({ apiVersion, kind, metadata: { name, namespace, annotations }, spec: { suspend: false } });
}

interface Listed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What denies is removed first, so that no listed client is refused in between. */
function byRemoval(a: Listed, b: Listed): number {
  return removalRank(a.kind) - removalRank(b.kind);
}

/** An inventory's id is `namespace_name_group_kind` (cli-utils, object.ObjMetadata); names hold no underscore here. */
function inventoryObject({ id, v }: { readonly id: string; readonly v: string }): Listed {
  const [namespace = "", object = "", group = "", of = ""] = id.split("_");
  return { apiVersion: group === "" ? v : `${group}/${v}`, kind: of, namespace, name: object };
}

async function untilBack(cluster: Cluster, objects: readonly Listed[], kustomization: string): Promise<void> {
  const end = Date.now() + 120_000;
  for (;;) {
    const found = await Promise.all(objects.map((each) => cluster.get(each.apiVersion, each.kind, each.name, each.namespace)));
    const left = objects.filter((_, index) => found[index] === null);
    if (left.length === 0) return;
    if (Date.now() > end)
      throw new UserError(
        exitCode.problem,
        `the policy is not back: ${left.map((each) => `${each.kind} ${each.name}`).join(", ")}`,
        `flux reconcile kustomization ${kustomization}`,
      );
    await sleep(500);
  }
}
