import { injectKey, proxyPrefix } from "../catalog/well-known.ts";
import type { StringMap } from "../kubernetes/object.ts";
import type { Environment } from "../spec/environment.generated.ts";

export type DeclaredNamespace = Environment["spec"]["namespaces"][string];

/** Namespaces in `spec.namespaces` that belong to others, with their names. */
export function namespacesOfOthers({ spec }: Environment): (readonly [name: string, declared: DeclaredNamespace])[] {
  return Object.entries(spec.namespaces).filter(([, { create }]) => !create);
}

/** Annotations of a namespace for its settings in `spec.namespaces`. Pods read them when they are created. */
export function meshAnnotations({ mesh }: DeclaredNamespace): StringMap {
  const { inject, defaultInboundPolicy, proxy } = mesh;
  return {
    ...(inject === undefined ? {} : { [injectKey]: inject }),
    ...(defaultInboundPolicy === undefined ? {} : { [`${proxyPrefix}default-inbound-policy`]: defaultInboundPolicy }),
    ...Object.fromEntries(Object.entries(proxy).map(([key, value]) => [proxyPrefix + key, value])),
  };
}

/** Annotations of a declared namespace; null if the namespace belongs to others and its injection is not declared. */
export function declaredAnnotations(declared: DeclaredNamespace): StringMap | null {
  return !declared.create && declared.mesh.inject === undefined ? null : meshAnnotations(declared);
}

/** Differences between the declared annotations and those of a namespace, as `key is "a" instead of "b"`. */
export function annotationDifferences(declared: DeclaredNamespace, found: StringMap): string[] {
  return Object.entries(meshAnnotations(declared)).flatMap(([key, value]) => {
    const own = found[key];
    return own === value ? [] : [`${key} is ${own === undefined ? "not set" : `"${own}"`} instead of "${value}"`];
  });
}
