import { policyGroup } from "../catalog/well-known.ts";
import { annotationsOf, idOf, idOfObject, ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadIsMeshed } from "../mesh/meshed.ts";
import { resolvePort } from "../mesh/ports.ts";
import { mayBeServerOf } from "../mesh/servers.ts";
import { canonicalJson } from "../system/canonical.ts";
import { annotateServices, annotateWorkload } from "./annotations.ts";
import type { Addition, Change, Note } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { note, policyNotes } from "./notes.ts";
import { forKey, policyAdditions } from "./policies.ts";
import { type PortsOf, workloadPorts } from "./workload-ports.ts";
import { selectWorkloads } from "./workloads.ts";

/** Changes that a MeshInjection requires in a set of objects, and notes about the objects. */
export interface Injected {
  /** Number of workloads to inject (see `selectWorkloads`). */
  readonly selected: number;
  readonly changes: readonly Change[];
  readonly additions: readonly Addition[];
  /** Policies that an earlier run generated and that are no longer needed. */
  readonly removals: readonly Manifest[];
  readonly notes: readonly Note[];
}

/**
 * Returns the changes that add Linkerd's annotations to workloads and Services, and the policies that allow the clients
 * in the MeshInjection to connect to these workloads. The function is pure. If the objects already contain these
 * changes and policies, the function returns no changes. It updates or removes policies that an earlier run generated.
 * If an existing object has the same name as a policy, and meshops did not generate this object, the function reports
 * an error and does not overwrite the object.
 */
export function inject(objects: readonly Manifest[], injection: MeshInjection): Injected {
  const stream = new ManifestSet(objects);
  const { workloads, passedOver } = selectWorkloads(stream, injection);
  const known = new Map(objects.map((object) => [idOf(object), object]));
  const found = new Map(workloads.map((workload) => [workload, workloadPorts(workload, stream, injection)]));
  const ports: PortsOf = (workload) => found.get(workload) ?? workloadPorts(workload, stream, injection);
  const wanted = workloads.flatMap((workload) => policyAdditions(workload, ports(workload), injection));
  const placed = wanted.map((addition) => ({ addition, existing: known.get(idOfObject(addition.object)) }));
  // Workloads without a proxy. If an earlier run injected such a workload, its policies may still exist. These policies
  // would block all clients, because the workload has no proxy. `obsoletePolicies` therefore returns these policies for
  // removal.
  const unmeshed = passedOver.map(({ workload }) => workload).filter((workload) => workloadIsMeshed(workload, stream) !== "yes");
  return {
    selected: workloads.length,
    changes: [
      ...workloads.flatMap((workload) => annotateWorkload(workload, ports(workload), stream, injection)),
      ...annotateServices(stream, workloads, ports, injection),
      ...placed.flatMap(({ addition, existing }) =>
        existing === undefined || !isGenerated(existing) ? [] : update(existing, addition),
      ),
    ],
    additions: placed.flatMap(({ addition, existing }) => (existing === undefined ? [addition] : [])),
    removals: obsoletePolicies(
      objects,
      stream,
      [...workloads, ...unmeshed],
      new Set(wanted.map((addition) => idOfObject(addition.object))),
    ),
    notes: [
      ...passedOver.map(({ workload, why, ignored }) =>
        // Report an error if the MeshInjection specifies clients and the injector ignores the pods, because policies
        // have no effect on pods without a proxy.
        note(workload.manifest, ignored && injection.spec.clients !== undefined ? "error" : "info", `not injected: ${why}`),
      ),
      ...placed.flatMap(({ addition, existing }) =>
        existing === undefined || isGenerated(existing) ? [] : [nameTaken(existing, addition)],
      ),
      ...nameClashes(wanted),
      ...policyNotes(workloads, ports, injection),
      ...portsWithServers(workloads, ports, stream, injection),
    ],
  };
}

/**
 * Returns the generated policies that are no longer needed. A policy that is not in `wanted` is no longer needed in two
 * cases: the workload of the policy is in `workloads`, or this workload is not in `stream`. The function keeps the
 * policies of all other workloads, because these policies were generated from another MeshInjection.
 */
function obsoletePolicies(
  objects: readonly Manifest[],
  stream: ManifestSet,
  workloads: readonly Workload[],
  wanted: ReadonlySet<string>,
): Manifest[] {
  const nameOf = ({ manifest: { kind, name, namespace } }: Workload): string => `${namespace}|${kind}/${name}`;
  const [processed, present] = [new Set(workloads.map(nameOf)), new Set(stream.workloads.map(nameOf))];
  return objects.filter((object) => {
    const workload = `${object.namespace}|${String(annotationsOf(object)[forKey])}`;
    return isGenerated(object) && !wanted.has(idOf(object)) && (processed.has(workload) || !present.has(workload));
  });
}

function update(existing: Manifest, { object }: Addition): Change[] {
  return (["apiVersion", "spec"] as const)
    .filter((key) => canonicalJson(existing.value[key]) !== canonicalJson(object[key]))
    .map((key) => ({ manifest: existing, path: [key], value: object[key] }));
}

/**
 * Reports each Server that meshops did not generate and that selects a port of a selected workload. The generated
 * policies would contain a second Server for this port. If two Servers select the same port, Linkerd uses only the
 * older Server. Linkerd would then refuse the clients that only the policies of the newer Server allow.
 */
function portsWithServers(workloads: readonly Workload[], ports: PortsOf, stream: ManifestSet, { spec }: MeshInjection): Note[] {
  if (spec.clients === undefined || !spec.authorization) return [];
  const servers = stream.ofKind(policyGroup, "Server").filter((server) => !isGenerated(server));
  return servers.flatMap((server) => {
    const { port } = specOf(server);
    return workloads
      .filter(
        (workload) => mayBeServerOf(server, workload) && ports(workload).listening.includes(resolvePort(port, workload) ?? 0),
      )
      .map((workload) =>
        note(
          server,
          "error",
          `this Server already protects port ${String(port)} of ${kindAndName(workload.manifest)}; remove this Server, or exclude the workload from the MeshInjection`,
        ),
      );
  });
}

function nameTaken(existing: Manifest, { workload }: Addition): Note {
  return note(
    existing,
    "error",
    `meshops did not generate this object, but the policy for ${kindAndName(workload)} needs the same name. Rename or remove this object`,
  );
}

/**
 * Reports two workloads of different kinds that have the same name, such as a Deployment and a StatefulSet with the
 * name web. The policies of both workloads would have the same names.
 */
function nameClashes(additions: readonly Addition[]): Note[] {
  const first = new Map<string, Manifest>();
  const notes = new Map<Manifest, Note>();
  for (const addition of additions) {
    const id = idOfObject(addition.object);
    const other = first.get(id);
    const { workload } = addition;
    if (other === undefined) first.set(id, workload);
    else if (other !== workload)
      notes.set(
        workload,
        note(
          workload,
          "error",
          `this workload has the same name as ${kindAndName(other)}, so the policies for both workloads would have the same names`,
        ),
      );
  }
  return [...notes.values()];
}

function kindAndName({ kind, name }: Manifest): string {
  return `${kind} ${name}`;
}

function isGenerated(object: Manifest): boolean {
  return typeof annotationsOf(object)[forKey] === "string";
}
