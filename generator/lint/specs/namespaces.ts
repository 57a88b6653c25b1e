import { initialNamespaces } from "../../catalog/well-known.ts";
import { providers } from "../../components/registry.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules about the namespaces of workloads. */
export const namespaceRules: readonly Rule[] = [
  {
    code: "namespace-reserved",
    severity: "error",
    title: "A workload or component uses a reserved namespace",
    why: "Reserved namespaces belong to Kubernetes, AKS, Flux or the mesh. These programs and meshops set labels on reserved namespaces, disable injection in these namespaces, or delete these namespaces at teardown. In a reserved namespace, your pods could lose their proxies or be deleted.",
    fix: "Set another namespace, for example the name of the workload.",
    check: ownNamespaces,
  },
];

/**
 * Matches the namespaces of Kubernetes, AKS and Flux. The components declare the namespaces of the mesh
 * (`reservedNamespaces`).
 */
const platform = /^(default|kube-.*|aks-.*|flux-system|calico-system|tigera-operator|gatekeeper-system)$/;

const ofMesh = new Set(providers.flatMap(({ reservedNamespaces = [] }) => reservedNamespaces));

/** Whether a namespace is reserved for Kubernetes, AKS, Flux or the mesh. */
export function isReserved(namespace: string): boolean {
  return platform.test(namespace) || ofMesh.has(namespace);
}

function* ownNamespaces(environment: Environment): Iterable<RuleFinding> {
  for (const [key, { namespace, ...rest }] of Object.entries(environment.spec.workloads)) {
    if (!deliversWorkload(rest) || !isReserved(namespace) || initialNamespaces.includes(namespace)) continue;
    yield {
      paths: [spec("workloads", key, "namespace")],
      message: `the namespace ${namespace} is reserved for Kubernetes, AKS, Flux or the mesh`,
      fix: `set namespace: ${key}`,
    };
  }
  for (const { section, byDefault } of providers.flatMap(({ namespaceField }) => namespaceField ?? [])) {
    const namespace = at(environment.spec, section, "namespace");
    if (typeof namespace !== "string" || !isReserved(namespace)) continue;
    yield {
      paths: [spec(section, "namespace")],
      message: `the namespace ${namespace} is reserved for Kubernetes, AKS, Flux or the mesh`,
      fix: `set namespace: ${byDefault}`,
    };
  }
}
