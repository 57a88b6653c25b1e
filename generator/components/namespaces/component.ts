import type { V1Namespace } from "@kubernetes/client-node";
import { keptByFlux } from "../../catalog/well-known.ts";
import type { KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import type { Check } from "../check.ts";
import type { Component, NamespaceSpec } from "../component.ts";

/**
 * Component with the namespaces of all components. The namespaces are created first, because the charts do not create
 * namespaces, and because Secrets are applied before the charts.
 *
 * @param accounts service accounts in these namespaces, and the bindings that grant rights to the service accounts
 */
export function namespacesComponent(
  specs: readonly NamespaceSpec[],
  checks: readonly Check[] = [],
  accounts: readonly KubernetesObject[] = [],
): Component {
  const names = [...new Set(specs.map(({ name }) => name))];
  const namespaces = names.map((name) =>
    namespace(
      name,
      specs.filter((spec) => spec.name === name),
    ),
  );
  return {
    id: "namespaces",
    group: "meshops",
    needs: [],
    build: () => ({
      namespace: names[0] ?? "",
      delivery: names.length === 0 ? { kind: "none", podsIn: null } : { kind: "objects", helmfile: "hook" },
      objects: {
        ...(names.length === 0 ? {} : { namespaces }),
        ...(accounts.length === 0 ? {} : { "service-accounts": accounts }),
      },
      checks,
      timeoutMinutes: 2,
    }),
  };
}

/**
 * Returns a Namespace that Flux never deletes automatically. When a namespace is deleted, Kubernetes deletes the
 * objects in the namespace in no defined order. These objects include HelmReleases and volume claims. Helm would then
 * not delete the cluster-scoped objects of its releases, and CRDs and data would be lost. It is safe to keep an empty
 * namespace.
 */

function namespace(name: string, specs: readonly NamespaceSpec[]): KubernetesObject {
  const labels = merged(
    name,
    specs.map((spec) => spec.labels),
  );
  const annotations = merged(name, [keptByFlux, ...specs.map((spec) => spec.annotations ?? {})]);
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } } satisfies V1Namespace;
}

/** @throws Error if components set different values for the same label or annotation of a shared namespace */
function merged(namespace: string, maps: readonly StringMap[]): StringMap {
  const result: Record<string, string> = {};
  for (const [key, value] of maps.flatMap((map) => Object.entries(map))) {
    if ((result[key] ?? value) !== value)
      throw new Error(`namespace ${namespace}: ${key} has two different values, "${result[key]}" and "${value}"`);
    result[key] = value;
  }
  return result;
}
