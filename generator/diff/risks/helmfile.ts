import type { Assessment, ChangedObject, ChangeSet, Step } from "../../components/change-rule.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { isHandedOver } from "./ownership.ts";

/** A release in a helmfile. */
interface Release {
  readonly name: string;
  readonly namespace: string;
}

/** Risks of a changed helmfile of an environment. Flux does not use helmfiles. */
export function* helmfileRisks(
  { kind, change, before, after }: ChangedObject,
  { environment, objects, specs }: ChangeSet,
): Iterable<Assessment> {
  if (kind !== "Helmfile") return;
  yield { risk: "harmless", reason: "this file is only for helmfile, and contains the same changes as the files for Flux" };
  if (change !== "changed" || environment === "") return;
  const [old, next] = [before, after].map((file) => at(file, "helmDefaults", "kubeContext"));
  if (old !== undefined && old !== next)
    yield {
      risk: "not-assessed",
      reason:
        next === undefined
          ? `helmfile no longer uses the kubectl context ${String(old)}. helmfile now uses the current kubectl context, which can belong to another cluster`
          : `helmfile installs into the kubectl context ${String(next)} instead of ${String(old)}`,
    };
  const kept = new Set(releasesOf(after).map(idOf));
  const gone = releasesOf(before).filter((release) => !kept.has(idOf(release)));
  // In a helmfile, each release comes after the releases that it needs. Uninstall the releases in the reverse order, so
  // that the policies are uninstalled after the pods that they protect.
  const byNeed = [...gone].reverse();
  if (gone.length > 0)
    yield {
      risk: "harmless",
      reason: `helmfile does not uninstall releases that are no longer in its file: ${gone.map(({ name }) => name).join(", ")}`,
      // If another tool takes over Linkerd, the user must not uninstall the Helm releases of Linkerd.
      steps: isHandedOver(objects)
        ? []
        : [
            ...serversFirst(gone, objects),
            ...byNeed.filter((release) => mayContinue(release, specs)).map(removal),
            ...uninstall(byNeed.filter((release) => !mayContinue(release, specs))),
          ],
    };
}

/**
 * Returns the steps in which the user deletes the Servers before the other policies. `helm uninstall` deletes
 * AuthorizationPolicies first (docs/access.md), and a Server without an AuthorizationPolicy refuses all clients.
 */
function serversFirst(gone: readonly Release[], objects: ChangeSet["objects"]): Step[] {
  const servers = objects.filter(({ kind, change }) => kind === "Server" && change === "removed");
  const namespaces = [...new Set(servers.map(({ namespace }) => namespace))].filter((namespace) =>
    gone.some((release) => release.namespace === namespace),
  );
  return namespaces.map((namespace) => ({
    text: "If you install with helmfile, first delete the Servers in the following command. Otherwise, helm uninstall deletes the AuthorizationPolicies before the Servers, and a Server without AuthorizationPolicies refuses all clients.",
    command: `kubectl delete --namespace ${namespace} ${servers
      .filter((server) => server.namespace === namespace)
      .map(({ name }) => `server.policy.linkerd.io/${name}`)
      .join(" ")}`,
  }));
}

/**
 * Whether the pods of a release can continue to run after the change. This is the case if the spec still contains the
 * workload, or if the spec contains a new workload, which can be the same workload with another name.
 */
function mayContinue({ name }: Release, { before, after }: ChangeSet["specs"]): boolean {
  const key = /^workload-(.+)$/.exec(name)?.[1];
  if (key === undefined || after === null) return false;
  const added = Object.keys(after.spec.workloads).some((other) => before?.spec.workloads[other] === undefined);
  return after.spec.workloads[key] !== undefined || added;
}

function uninstall(releases: readonly Release[]): Step[] {
  const commands = releases.map(({ name, namespace }) => `helm uninstall ${name} --namespace ${namespace}`);
  if (commands.length === 0) return [];
  const text =
    "If you install with helmfile, uninstall the releases in the following command after you have completed all other steps.";
  return [{ text, command: commands.join(" && ") }];
}

/**
 * Returns the step in which the user deletes only the record of a Helm release whose objects are still needed (helm,
 * pkg/storage/driver).
 */
function removal({ name, namespace }: Release): Step {
  return {
    text: `If you install with helmfile, and ${name} must keep running under another name or with another tool, delete only Helm's record of the release. Never uninstall the release, because Helm would delete the objects of the release. A Helm release with another name can use the objects only if it takes over their ownership (helm --take-ownership).`,
    command: `kubectl delete secret --namespace ${namespace} --selector owner=helm,name=${name}`,
  };
}

function releasesOf(file: ChangedObject["before"]): readonly Release[] {
  return listAt<Release>(file, "releases");
}

function idOf({ name, namespace }: Release): string {
  return `${namespace}/${name}`;
}
