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

/** Returns the object with a kind and a name. Throws if the object does not exist. */
export function pick(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} among ${objects.map(idOf).join(", ")}`);
  return found;
}

/**
 * Returns objects by ID, for comparing two sets of objects regardless of their order. Throws if an ID is not unique.
 */
export function byId(objects: readonly KubernetesObject[]): Record<string, unknown> {
  const sorted = [...objects].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const twice = sorted.find((object, index) => index > 0 && idOf(object) === idOf(sorted[index - 1] ?? object));
  if (twice !== undefined) throw new Error(`duplicate object ${idOf(twice)}`);
  return Object.fromEntries(sorted.map((object) => [idOf(object), object]));
}

/** Returns a nested field of a plain object. */
export function field(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown> | undefined)?.[step], value);
}
