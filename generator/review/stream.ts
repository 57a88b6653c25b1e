import { asMap } from "../data.ts";
import type { Manifest } from "./read.ts";
import { containersOf, type Labels, selects, type Workload, workloadOf } from "./workload.ts";

/** Whether pods have a proxy: by what is written, or unknown where only the namespace could say. */
export type Meshed = "yes" | "no" | "unknown";

/** All objects of a review, and what they are to each other. */
export class Stream {
  readonly objects: readonly Manifest[];
  readonly workloads: readonly Workload[];

  constructor(objects: readonly Manifest[]) {
    this.objects = objects;
    this.workloads = objects.flatMap((object) => workloadOf(object) ?? []);
  }

  /** Objects of a kind, whatever the version of its group. */
  ofKind(group: string, ...kinds: string[]): Manifest[] {
    return this.objects.filter(({ apiVersion, kind }) => kinds.includes(kind) && groupOf(apiVersion) === group);
  }

  /** Annotations of a namespace; null where the stream does not hold it. */
  namespaceAnnotations(name: string): Labels | null {
    const found = this.ofKind("", "Namespace").find((namespace) => namespace.name === name);
    return found === undefined ? null : annotationsOf(found);
  }

  /** Whether an object's namespace may be the named one; one that says nothing may be in any. */
  static together(a: string, b: string): boolean {
    return a === b || a === "" || b === "";
  }

  /** Workloads of a namespace whose pods a selector selects. */
  selected(namespace: string, selector: unknown): Workload[] {
    return this.workloads.filter(
      ({ manifest, labels }) => Stream.together(manifest.namespace, namespace) && selects(selector, labels),
    );
  }

  /** What decides is the pod's own annotation, then its namespace's (Linkerd docs, “Automatic proxy injection”). */
  isMeshed(workload: Workload): Meshed {
    const { annotations, manifest, pod } = workload;
    if (containersOf(workload).some(({ container }) => container["name"] === "linkerd-proxy")) return "yes";
    if (pod["hostNetwork"] === true) return "no";
    const namespace = this.namespaceAnnotations(manifest.namespace);
    const inject = annotations["linkerd.io/inject"] ?? namespace?.["linkerd.io/inject"];
    if (inject === "enabled" || inject === "ingress") return "yes";
    return inject === undefined && namespace === null ? "unknown" : "no";
  }
}

export function annotationsOf({ value }: Manifest): Labels {
  return asMap(asMap(value["metadata"])["annotations"]);
}

export function specOf({ value }: Manifest): Readonly<Record<string, unknown>> {
  return asMap(value["spec"]);
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}
