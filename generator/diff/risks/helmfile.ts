import type { Assessment, ChangedObject, ChangeSet, Step } from "../../components/change-rule.ts";
import { fluxName, policiesId, workloadId } from "../../components/names.ts";
import { deliveryOf } from "../../components/workloads/delivery.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import type { Workload } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { isHandedOver } from "./installation.ts";

/** A release in a helmfile. */
interface Release {
  readonly name: string;
  readonly namespace: string;
  /** The chart, or the folder of the objects, such as `./policies/shop`. */
  readonly chart?: string;
}

/** Risks of a changed helmfile of an environment. Flux does not use helmfiles. */
export function* helmfileRisks(
  { kind, change, before, after }: ChangedObject,
  { environment, objects, specs }: ChangeSet,
): Iterable<Assessment> {
  if (kind !== "Helmfile") return;
  yield { risk: "harmless", reason: "this file is only for helmfile, and Flux does not read it" };
  const [helmBefore, helmAfter] = [specs.before, specs.after].map((spec) => spec?.spec.helmfile.helmVersion);
  if (change === "changed" && helmBefore !== undefined && helmAfter !== undefined && helmBefore !== helmAfter)
    yield {
      risk: "harmless",
      reason: `helmfile requires Helm ${helmAfter} instead of Helm ${helmBefore} after this change. Until you install Helm ${helmAfter} on each machine that runs helmfile, helmfile stops with an error. Flux is not affected`,
    };
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
  if (gone.length > 0)
    yield {
      risk: "harmless",
      reason: `helmfile does not uninstall releases that are no longer in its file: ${gone.map(({ name }) => name).join(", ")}`,
      // If another tool takes over Linkerd, the user must not uninstall the Helm releases of Linkerd.
      steps: isHandedOver(objects) ? [] : stepsFor(gone, objects, specs),
    };
}

function stepsFor(gone: readonly Release[], objects: ChangeSet["objects"], specs: ChangeSet["specs"]): Step[] {
  // In a helmfile, each release comes after the releases that it needs. Uninstall the releases in the reverse order, so
  // that the policies are uninstalled after the pods that they protect.
  const replaced = gone.filter((release) => futureOf(release, specs) === "replaced");
  const ended = gone
    .filter((release) => futureOf(release, specs) === "ends" && !replaced.some((other) => protects(release, other, specs)))
    .reverse();
  const policies = ended.filter(isPolicies);
  return [
    ...gone.flatMap((release) => keptBy(release, futureOf(release, specs))),
    ...uninstall(ended.filter((release) => !isPolicies(release))),
    ...serversFirst(policies, objects),
    ...uninstall(policies),
  ];
}

/**
 * What happens to the pods of a release that is no longer in the helmfile. `ends`: the old objects are no longer
 * needed. `handed-over`: another tool delivers the pods from now on. `renamed`: a new workload in the same namespace
 * can be the same workload with another name. `replaced`: the workload gets another source, release name or namespace.
 * For `replaced`, the rules for workloads (delivery.ts) already return a step that asks the user not to push the
 * change. Steps for helmfile are therefore not needed.
 */
type Future = "ends" | "handed-over" | "renamed" | "replaced";

function futureOf(release: Release, { before, after }: ChangeSet["specs"]): Future {
  const [found] = Object.entries(before?.spec.workloads ?? {}).filter(([key, workload]) => isOf(release, key, workload));
  if (found === undefined || after === null) return "ends";
  const [key, { namespace }] = found;
  const current = after.spec.workloads[key];
  if (current !== undefined && deliversWorkload(current)) return "replaced";
  if (current !== undefined) return current.namespace === namespace ? "handed-over" : "ends";
  const added = Object.entries(after.spec.workloads).filter(([other]) => before?.spec.workloads[other] === undefined);
  return added.some(([, workload]) => workload.namespace === namespace && deliversWorkload(workload)) ? "renamed" : "ends";
}

/** Whether a release installs the source of a workload. */
function isOf({ name, namespace }: Release, key: string, workload: Workload): boolean {
  const delivery = deliveryOf(key, workload);
  return (
    namespace === workload.namespace && name === (delivery.kind === "chart" ? delivery.release.name : fluxName(workloadId(key)))
  );
}

/** Whether a release contains the policies of the workload that another release installs. */
function protects(policies: Release, other: Release, { before }: ChangeSet["specs"]): boolean {
  return Object.entries(before?.spec.workloads ?? {}).some(
    ([key, workload]) => policies.name === fluxName(policiesId(key)) && isOf(other, key, workload),
  );
}

/** Whether a release contains policies that meshops generated, and no pods. */
function isPolicies({ chart = "" }: Release): boolean {
  return /^\.\/(policies\/|proxy-metrics\/|[\w-]+-policy$)/.test(chart);
}

/**
 * Returns the steps in which the user deletes the Servers before the other policies. `helm uninstall` deletes
 * AuthorizationPolicies first (docs/access.md), and a Server without an AuthorizationPolicy refuses all clients.
 *
 * @param policies the releases of policies that the user uninstalls
 */
function serversFirst(policies: readonly Release[], objects: ChangeSet["objects"]): Step[] {
  const servers = objects.filter(({ kind, change }) => kind === "Server" && change === "removed");
  const namespaces = [...new Set(servers.map(({ namespace }) => namespace))].filter((namespace) =>
    policies.some((release) => release.namespace === namespace),
  );
  return namespaces.map((namespace) => ({
    text: "If you install with helmfile, delete the Servers with the following command after helmfile sync, and before you uninstall the releases of policies. Otherwise, Helm deletes the AuthorizationPolicies before the Servers. A Server without AuthorizationPolicies refuses all clients.",
    command: `kubectl delete --namespace ${namespace} ${servers
      .filter((server) => server.namespace === namespace)
      .map(({ name }) => `server.policy.linkerd.io/${name}`)
      .join(" ")}`,
  }));
}

function uninstall(releases: readonly Release[]): Step[] {
  const commands = releases.map(({ name, namespace }) => `helm uninstall ${name} --namespace ${namespace}`);
  if (commands.length === 0) return [];
  const text = "If you install with helmfile, uninstall the old releases with the following command after helmfile sync.";
  return [{ text, command: commands.join(" && ") }];
}

/**
 * Returns the step for a release whose objects can still be needed. If the user deletes only the Secrets in which Helm
 * stores the release, the objects of the release remain (helm, pkg/storage/driver).
 */
function keptBy({ name, namespace, chart = "" }: Release, future: Future): Step[] {
  if (future === "ends" || future === "replaced") return [];
  const isFolder = chart.startsWith("./");
  if (future === "renamed" && !isFolder)
    return [
      {
        text: `Do this step only if you install with helmfile. If the new workload is ${name} with another name, set releaseName: ${name} in the source of the new workload, and do not uninstall the release ${name}. If you no longer need the workload ${name}, uninstall the release with the following command.`,
        command: `helm uninstall ${name} --namespace ${namespace}`,
      },
    ];
  const command = `kubectl delete secret --namespace ${namespace} --selector owner=helm,name=${name}`;
  if (future === "renamed")
    return [
      {
        phase: "before",
        text: `Do this step only if you install with helmfile, and ${name} must keep running under another name. Before you run helmfile, delete the Secrets in which Helm stores the release ${name}. Do not uninstall the release: Helm would delete the objects of the release. Then run helmfile sync with the option --take-ownership, so that the new release takes over these objects.`,
        command,
      },
    ];
  return [
    {
      text: `If you install with helmfile, delete only the Secrets in which Helm stores the release ${name}. Do not uninstall the release: Helm would delete the objects of the release. If another Helm release will manage these objects, install it with helm --take-ownership.`,
      command,
    },
  ];
}

function releasesOf(file: ChangedObject["before"]): readonly Release[] {
  return listAt<Release>(file, "releases");
}

function idOf({ name, namespace }: Release): string {
  return `${namespace}/${name}`;
}
