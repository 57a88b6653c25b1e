import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";

/** The Kubernetes objects of a YAML stream; empty documents are left out. */
export function objectsIn(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml, { merge: true, version: "1.1" } as never).flatMap((document) => {
    const value = (document as { toJS(options: object): unknown }).toJS({ maxAliasCount: -1 });
    return value === null || value === undefined ? [] : [value as KubernetesObject];
  });
}

/** `kind/namespace/name`. */
export function idOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** The object of a kind and name. */
export function pick(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} among ${objects.map(idOf).join(", ")}`);
  return found;
}

/** Objects by id, for comparing two sets regardless of order; throws where an id comes twice. */
export function byId(objects: readonly KubernetesObject[]): Record<string, unknown> {
  const sorted = [...objects].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const twice = sorted.find((object, index) => index > 0 && idOf(object) === idOf(sorted[index - 1] ?? object));
  if (twice !== undefined) throw new Error(`${idOf(twice)} comes twice`);
  return Object.fromEntries(sorted.map((object) => [idOf(object), object]));
}

/** A nested field of a plain object. */
export function field(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown> | undefined)?.[step], value);
}
