import { annotationsOf, idOf, idOfObject, ManifestSet } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { workloadIsMeshed } from "../mesh/meshed.ts";
import { annotateServices, annotateWorkload } from "./annotations.ts";
import type { Addition, Change, Note } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { note, policyNotes } from "./notes.ts";
import { forKey, policyAdditions } from "./policies.ts";
import { type PortsOf, portsOf } from "./ports.ts";
import { selectWorkloads } from "./workloads.ts";

/** What becomes of objects that pass by. */
export interface Injected {
  /** Number of workloads that the configuration selects and that can have a proxy. */
  readonly selected: number;
  readonly changes: readonly Change[];
  readonly additions: readonly Addition[];
  /** Policies of an earlier run that are wanted no more. */
  readonly removals: readonly Manifest[];
  readonly notes: readonly Note[];
}

/**
 * Injects workloads and says who may talk to them. Pure, and the same when it is done again: what an earlier run added is brought up to date,
 * or taken away. An object of somebody else's under a name that is needed is an error, not overwritten.
 */
export function inject(objects: readonly Manifest[], injection: MeshInjection): Injected {
  const stream = new ManifestSet(objects);
  const { workloads, passedOver } = selectWorkloads(stream, injection);
  const known = new Map(objects.map((object) => [idOf(object), object]));
  const found = new Map(workloads.map((workload) => [workload, portsOf(workload, stream, injection)]));
  const ports: PortsOf = (workload) => found.get(workload) ?? portsOf(workload, stream, injection);
  const wanted = workloads.flatMap((workload) => policyAdditions(workload, ports(workload), injection));
  const placed = wanted.map((addition) => ({ addition, there: known.get(idOfObject(addition.object)) }));
  // Without a proxy nobody would get through what was written for one.
  const unmeshed = passedOver.map(({ workload }) => workload).filter((workload) => workloadIsMeshed(workload, stream) !== "yes");
  return {
    selected: workloads.length,
    changes: [
      ...workloads.flatMap((workload) => annotateWorkload(workload, ports(workload), stream, injection)),
      ...annotateServices(stream, workloads, ports, injection),
      ...placed.flatMap(({ addition, there }) => (there === undefined || !isOwn(there) ? [] : update(there, addition))),
    ],
    additions: placed.flatMap(({ addition, there }) => (there === undefined ? [addition] : [])),
    removals: stale(objects, stream, [...workloads, ...unmeshed], new Set(wanted.map((addition) => idOfObject(addition.object)))),
    notes: [
      ...passedOver.map(({ workload, why }) => note(workload.manifest, "info", `not injected: ${why}`)),
      ...placed.flatMap(({ addition, there }) => (there === undefined || isOwn(there) ? [] : [taken(there, addition)])),
      ...clash(wanted),
      ...policyNotes(workloads, ports, injection),
    ],
  };
}

/** Own policies that nobody wants: of a workload that was looked at, or of one that is gone. Those of others are another configuration's. */
function stale(
  objects: readonly Manifest[],
  stream: ManifestSet,
  workloads: readonly Workload[],
  wanted: ReadonlySet<string>,
): Manifest[] {
  const nameOf = ({ manifest: { kind, name, namespace } }: Workload): string => `${namespace}|${kind}/${name}`;
  const [seen, there] = [new Set(workloads.map(nameOf)), new Set(stream.workloads.map(nameOf))];
  return objects.filter((object) => {
    const workload = `${object.namespace}|${String(annotationsOf(object)[forKey])}`;
    return isOwn(object) && !wanted.has(idOf(object)) && (seen.has(workload) || !there.has(workload));
  });
}

function update(there: Manifest, { object }: Addition): Change[] {
  return (["apiVersion", "spec"] as const)
    .filter((key) => JSON.stringify(there.value[key]) !== JSON.stringify(object[key]))
    .map((key) => ({ manifest: there, path: [key], value: object[key] }));
}

function taken(there: Manifest, { beside }: Addition): Note {
  return note(there, "error", `stands where the policy for ${tell(beside)} belongs, and meshops did not write it`);
}

/** Two workloads of one name, such as a Deployment and a StatefulSet, would need the same policies. */
function clash(additions: readonly Addition[]): Note[] {
  const first = new Map<string, Manifest>();
  const notes = new Map<Manifest, Note>();
  for (const addition of additions) {
    const id = idOfObject(addition.object);
    const other = first.get(id);
    const { beside } = addition;
    if (other === undefined) first.set(id, beside);
    else if (other !== beside)
      notes.set(beside, note(beside, "error", `has the name of ${tell(other)}, so their policies would have the same names`));
  }
  return [...notes.values()];
}

function tell({ kind, name }: Manifest): string {
  return `${kind} ${name}`;
}

function isOwn(object: Manifest): boolean {
  return typeof annotationsOf(object)[forKey] === "string";
}
