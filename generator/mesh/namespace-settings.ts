import { injectKey, proxyPrefix } from "../catalog/well-known.ts";
import type { StringMap } from "../kubernetes/object.ts";
import type { DeclaredNamespace, Environment } from "../spec/environment.generated.ts";

/** Returns the namespaces in `spec.namespaces` that meshops does not create (`create: false`), with their names. */
export function namespacesOfOthers({ spec }: Environment): (readonly [name: string, declared: DeclaredNamespace])[] {
  return Object.entries(spec.namespaces).filter(([, { create }]) => !create);
}

/**
 * Returns the annotations for the field `mesh` of a namespace in `spec.namespaces`. A change of these annotations
 * affects only pods that are created after the change.
 */
export function meshAnnotations({ mesh }: DeclaredNamespace): StringMap {
  const { inject, defaultInboundPolicy, proxy } = mesh;
  return {
    ...(inject === undefined ? {} : { [injectKey]: inject }),
    ...(defaultInboundPolicy === undefined ? {} : { [`${proxyPrefix}default-inbound-policy`]: defaultInboundPolicy }),
    ...Object.fromEntries(Object.entries(proxy).map(([key, value]) => [proxyPrefix + key, value])),
  };
}

/**
 * Returns the annotations that the spec declares for a namespace in `spec.namespaces`. Returns null if meshops does not
 * create the namespace, and the spec does not set `mesh.inject` for the namespace.
 */
export function declaredAnnotations(declared: DeclaredNamespace): StringMap | null {
  return !declared.create && declared.mesh.inject === undefined ? null : meshAnnotations(declared);
}

/**
 * If the spec disables injection in a namespace, returns the reason why new pods in this namespace have no proxy.
 * Otherwise, returns null.
 */
export function unmeshedReason(namespace: string, { spec }: Environment): string | null {
  if (spec.namespaces[namespace]?.mesh.inject !== "disabled") return null;
  return `new pods in namespace ${namespace} have no proxy, because namespaces.${namespace}.mesh.inject is disabled`;
}

/**
 * Compares the declared annotations with the annotations of an existing namespace. For each difference, returns a text
 * such as `key is "a" instead of "b"`.
 */
export function annotationDifferences(declared: DeclaredNamespace, found: StringMap): string[] {
  return Object.entries(meshAnnotations(declared)).flatMap(([key, value]) => {
    const own = found[key];
    return own === value ? [] : [`${key} is ${own === undefined ? "not set" : `"${own}"`} instead of "${value}"`];
  });
}
