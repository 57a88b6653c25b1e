import type { Path } from "../diagnostics/source.ts";
import { asMap, isMap, listOf } from "../system/data.ts";
import { at, listAt, mapAt } from "./object-fields.ts";
import type { Manifest } from "./read.ts";

export type Labels = Readonly<Record<string, unknown>>;

/** A Pod or an object that creates pods, and the fields of its pod template. */
export interface Workload {
  readonly manifest: Manifest;
  /** Path in the object to the pod template, which contains `metadata` and `spec` of the pods. Empty for a Pod. */
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

/**
 * Returns the object together with the fields of its pod template. Returns null if the object does not create pods. An
 * object of a custom kind creates pods if its `spec.template` is a pod template, as in Argo's Rollout.
 */
export function workloadOf(manifest: Manifest): Workload | null {
  const core = /^(v1$|apps\/|batch\/)/.test(manifest.apiVersion);
  const template = core ? templates.get(manifest.kind) : ["spec", "template"];
  if (template === undefined) return null;
  const value = mapAt(manifest.value, ...template);
  const pod = asMap(value["spec"]);
  if (!core && !Array.isArray(pod["containers"])) return null;
  const { labels, annotations } = asMap(value["metadata"]);
  return { manifest, template, labels: asMap(labels), annotations: asMap(annotations), pod };
}

/**
 * Returns the init containers and then the containers of a workload's pod template, each with its path in the object.
 */
export function containersOf({ pod, template }: Workload): { container: Record<string, unknown>; path: Path }[] {
  return ["initContainers", "containers"].flatMap((list) =>
    listOf(pod[list]).flatMap((container, index) =>
      isMap(container) ? [{ container, path: [...template, "spec", list, index] }] : [],
    ),
  );
}

/** Name of the service account of a workload's pods. */
export function serviceAccountOf({ pod }: Pick<Workload, "pod">): string {
  return String(pod["serviceAccountName"] ?? "default");
}

/** Whether one of the containers has a preStop hook. */
export function hasPreStop(containers: readonly unknown[]): boolean {
  return containers.some((container) => at(container, "lifecycle", "preStop") !== undefined);
}

/** Returns the TCP ports that a container declares. `name` is null if a port has no name. */
export function tcpPortsOf(
  container: Readonly<Record<string, unknown>>,
): { readonly port: number; readonly name: string | null }[] {
  return listOf(container["ports"])
    .map(asMap)
    .flatMap(({ containerPort, name, protocol = "TCP" }) =>
      typeof containerPort === "number" && protocol === "TCP"
        ? [{ port: containerPort, name: name === undefined ? null : String(name) }]
        : [],
    );
}

/**
 * Returns the number of a port that is specified by number or by the name of a container port. Returns null if no
 * container declares a port with that name.
 */
export function portNumber(port: unknown, containers: readonly unknown[]): number | null {
  if (typeof port === "number") return port;
  const declared = containers.flatMap((container) => listAt(container, "ports").map(asMap));
  const found = declared.find(({ name }) => name === port)?.["containerPort"];
  return typeof found === "number" ? found : null;
}
