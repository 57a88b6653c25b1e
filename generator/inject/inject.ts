import { asMap } from "../data.ts";
import type { Manifest } from "../review/read.ts";
import { groupOf, Stream } from "../review/stream.ts";
import type { Workload } from "../review/workload.ts";
import { annotateServices, annotateWorkload } from "./annotations.ts";
import type { Addition, Change, Note } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { listeningPorts, ownLabels, policiesFor } from "./policies.ts";
import { selectWorkloads } from "./workloads.ts";

/** What becomes of objects that pass by. */
export interface Injected {
  readonly changes: readonly Change[];
  readonly additions: readonly Addition[];
  readonly notes: readonly Note[];
}

/**
 * Injects workloads and says who may talk to them. Pure, and the same when it is done again: what an earlier run added is brought up to date.
 * An object of somebody else's under a name that is needed is an error, not overwritten.
 */
export function inject(objects: readonly Manifest[], injection: MeshInjection): Injected {
  const stream = new Stream(objects);
  const { workloads, passedOver } = selectWorkloads(stream, injection);
  const known = new Map(objects.map((object) => [idOf(object), object]));
  const wanted = workloads.flatMap((workload) => policiesFor(workload, stream, injection));
  const placed = wanted.map((addition) => ({ addition, there: known.get(idOf(flat(addition))) }));
  return {
    changes: [
      ...workloads.flatMap((workload) => annotateWorkload(workload, injection)),
      ...annotateServices(stream, workloads, injection),
      ...placed.flatMap(({ addition, there }) => (there === undefined || !isOwn(there) ? [] : update(there, addition))),
    ],
    additions: placed.flatMap(({ addition, there }) => (there === undefined ? [addition] : [])),
    notes: [
      ...passedOver.map(({ workload, why }) => note(workload.manifest, "info", `not injected: ${why}`)),
      ...placed.flatMap(({ addition, there }) => (there === undefined || isOwn(there) ? [] : [taken(there, addition)])),
      ...clash(wanted),
      ...unheard(workloads, stream, injection),
    ],
  };
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
    const id = idOf(flat(addition));
    const other = first.get(id);
    if (other === undefined) first.set(id, addition.beside);
    else if (other !== addition.beside)
      notes.set(
        addition.beside,
        note(addition.beside, "error", `has the name of ${tell(other)}, so their policies would have the same names`),
      );
  }
  return [...notes.values()];
}

/** Ports of clients that no workload listens at: a slip, which would shut the client out. */
function unheard(workloads: readonly Workload[], stream: Stream, { spec }: MeshInjection): Note[] {
  const [first] = workloads;
  if (first === undefined) return [];
  const open = workloads.flatMap((workload) => listeningPorts(workload, stream));
  const named = (spec.clients ?? []).flatMap((client) => (client.ports ?? []).map((port) => ({ client, port })));
  return named
    .filter(({ port }) => !open.includes(port))
    .map(({ client, port }) =>
      note(
        first.manifest,
        "warning",
        `port ${port}, which ${client.namespace}/${client.serviceAccount} may use, is declared by no selected workload and by no Service of one`,
      ),
    );
}

function note(manifest: Manifest, severity: Note["severity"], message: string): Note {
  return { manifest, path: ["metadata", "name"], severity, message };
}

function tell({ kind, name }: Manifest): string {
  return `${kind} ${name}`;
}

function isOwn({ value }: Manifest): boolean {
  const labels = asMap(asMap(value["metadata"])["labels"]);
  return Object.entries(ownLabels).every(([key, label]) => labels[key] === label);
}

/** What an object is to the API server, whatever the version of its group. */
export function idOf({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<Manifest, "apiVersion" | "kind" | "namespace" | "name">): string {
  return JSON.stringify([groupOf(apiVersion), kind, namespace, name]);
}

function flat({ object: { apiVersion, kind, metadata } }: Addition): Parameters<typeof idOf>[0] {
  return { apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name };
}
