import { setTimeout as sleep } from "node:timers/promises";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { removalRank } from "../../mesh/policy-order.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";

const [apiVersion, kind] = ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"];

/** The Kustomization that applies the policies. */
interface PolicySource {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Annotation that verify sets on a Kustomization when verify suspends the Kustomization. If verify is killed, the next
 * run of verify finds this annotation and resumes the Kustomization.
 */
const mark = "meshops.dev/verify-baseline";

/**
 * Resumes the Kustomization if an earlier run of verify did not resume it. Returns true if this call resumed the
 * Kustomization.
 */
export async function resumeLeftOver(cluster: Cluster, source: PolicySource): Promise<boolean> {
  const found = await cluster.get(apiVersion, kind, source.name, source.namespace);
  if (found?.metadata.annotations?.[mark] === undefined) return false;
  await resume(cluster, source);
  return true;
}

/**
 * Removes the policies that a Kustomization applies, runs an action, and restores the policies. Also restores the
 * policies if the action fails. To remove the policies, this function suspends the Kustomization and deletes the
 * objects in `status.inventory` of the Kustomization. To restore the policies, this function resumes the Kustomization
 * and waits until the objects exist again.
 *
 * @throws UserError if the Kustomization does not exist, is already suspended or has no inventory, or if Flux does not
 *   restore the policies
 */
export async function withoutPolicy<T>(cluster: Cluster, source: PolicySource, action: () => Promise<T>): Promise<T> {
  const { name, namespace } = source;
  const found = await cluster.get(apiVersion, kind, name, namespace);
  if (found === null)
    throw new UserError(exitCode.missing, `the policies cannot be removed, because Kustomization ${name} does not exist`);
  if (at(found, "spec", "suspend") === true)
    throw new UserError(
      exitCode.problem,
      `the policies cannot be removed, because Kustomization ${name} is already suspended`,
      `flux resume kustomization ${name} --namespace ${namespace}`,
    );
  const objects = listAt<{ id: string; v: string }>(found, "status", "inventory", "entries").map(inventoryObject);
  if (objects.length === 0)
    throw new UserError(
      exitCode.problem,
      `the policies cannot be removed, because Kustomization ${name} has no inventory yet; run meshops status to see the reason`,
    );
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
    await waitUntilRestored(cluster, objects, source);
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

/**
 * Order of the deletion: objects that deny connections are first. In another order, Linkerd would refuse listed clients
 * during the deletion.
 */
function byRemoval(a: Listed, b: Listed): number {
  return removalRank(a.kind) - removalRank(b.kind);
}

/**
 * Parses an inventory ID, `namespace_name_group_kind` (cli-utils, object.ObjMetadata). The names of these objects
 * contain no underscore.
 */
function inventoryObject({ id, v }: { readonly id: string; readonly v: string }): Listed {
  const [namespace = "", object = "", group = "", of = ""] = id.split("_");
  return { apiVersion: group === "" ? v : `${group}/${v}`, kind: of, namespace, name: object };
}

async function waitUntilRestored(cluster: Cluster, objects: readonly Listed[], { name, namespace }: PolicySource): Promise<void> {
  const end = Date.now() + 120_000;
  for (;;) {
    const found = await Promise.all(objects.map((each) => cluster.get(each.apiVersion, each.kind, each.name, each.namespace)));
    const left = objects.filter((_, index) => found[index] === null);
    if (left.length === 0) return;
    if (Date.now() > end)
      throw new UserError(
        exitCode.problem,
        `Flux has not restored the policies; these objects are missing: ${left.map((each) => `${each.kind} ${each.name}`).join(", ")}`,
        `flux reconcile kustomization ${name} --namespace ${namespace}`,
      );
    await sleep(500);
  }
}
