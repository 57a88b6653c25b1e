import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";

/** Returns the Kubernetes objects of a YAML stream, without empty documents. */
export function objectsIn(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml, { merge: true, version: "1.1" } as never).flatMap((document) => {
    const value = (document as { toJS(options: object): unknown }).toJS({ maxAliasCount: -1 });
    return value === null || value === undefined ? [] : [value as KubernetesObject];
  });
}

/** Returns the ID of an object: `<kind>/<namespace>/<name>`. */
export function idOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Returns the first object with the given kind and name. Throws if there is no such object. */
export function pick(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} among ${objects.map(idOf).join(", ")}`);
  return found;
}

/**
 * Returns objects, keyed by ID. Two results of this function can be compared regardless of the order of the objects.
 * Throws if two objects have the same ID.
 */
export function byId(objects: readonly KubernetesObject[]): Record<string, unknown> {
  const sorted = [...objects].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const twice = sorted.find((object, index) => index > 0 && idOf(object) === idOf(sorted[index - 1] ?? object));
  if (twice !== undefined) throw new Error(`duplicate object ${idOf(twice)}`);
  return Object.fromEntries(sorted.map((object) => [idOf(object), object]));
}

/** Returns the value at a path of keys and indexes. Returns undefined if the path does not exist. */
export function field(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown> | undefined)?.[step], value);
}
