import type { Path } from "../diagnostics/source.ts";
import { asMap, isMap } from "../system/data.ts";
import type { Manifest } from "./read.ts";

export type Labels = Readonly<Record<string, unknown>>;

/** Something that makes pods, seen as the pods that it makes. */
export interface Workload {
  readonly manifest: Manifest;
  /** Path from the object to the pod's `metadata` and `spec`. */
  readonly template: Path;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly pod: Readonly<Record<string, unknown>>;
}

const templates: ReadonlyMap<string, Path> = new Map<string, Path>(
  Object.entries({
    Pod: [],
    Deployment: ["spec", "template"],
    StatefulSet: ["spec", "template"],
    DaemonSet: ["spec", "template"],
    ReplicaSet: ["spec", "template"],
    Job: ["spec", "template"],
    CronJob: ["spec", "jobTemplate", "spec", "template"],
  }),
);

/** The pods of an object; null where it makes none. Operators' own kinds that have a pod template (Argo's Rollout) count. */
export function workloadOf(manifest: Manifest): Workload | null {
  const core = /^(v1$|apps\/|batch\/)/.test(manifest.apiVersion);
  const template = core ? templates.get(manifest.kind) : ["spec", "template"];
  if (template === undefined) return null;
  const value = asMap(valueAt(manifest.value, template));
  const pod = asMap(value["spec"]);
  if (!core && !Array.isArray(pod["containers"])) return null;
  const { labels, annotations } = asMap(value["metadata"]);
  return { manifest, template, labels: asMap(labels), annotations: asMap(annotations), pod };
}

/** The value at a path in plain data; undefined where there is none. */
function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (Array.isArray(at) ? at[Number(step)] : asMap(at)[step]), value);
}

/** Containers of a pod, init containers first, each with its path from the object. */
export function containersOf({ pod, template }: Workload): { container: Record<string, unknown>; path: Path }[] {
  return ["initContainers", "containers"].flatMap((list) =>
    listOf(pod[list]).flatMap((container, index) =>
      isMap(container) ? [{ container, path: [...template, "spec", list, index] }] : [],
    ),
  );
}

/** A list, or an empty one where the value is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
