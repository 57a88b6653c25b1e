import { initialNamespaces } from "../../catalog/well-known.ts";
import { providers } from "../../components/registry.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules about the namespaces of workloads. */
export const namespaceRules: readonly Rule[] = [
  {
    code: "namespace-reserved",
    severity: "error",
    title: "A workload's namespace is reserved",
    why: "Reserved namespaces belong to Kubernetes, AKS, Flux or the mesh. These programs or meshops set labels on the namespaces, disable injection in them, or delete them at teardown. This would affect your workload in such a namespace.",
    fix: "Set a namespace that is not reserved.",
    check: ownNamespaces,
  },
];

/** Namespaces of Kubernetes, AKS and Flux. The components declare the namespaces of the mesh. */
const platform = /^(default|kube-.*|aks-.*|flux-system|calico-system|tigera-operator|gatekeeper-system)$/;

const ofMesh = new Set(providers.flatMap(({ reservedNamespaces = [] }) => reservedNamespaces));

/** Whether workloads must not use a namespace. */
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
    const { namespace } = environment.spec[section];
    if (!isReserved(namespace)) continue;
    yield {
      paths: [spec(section, "namespace")],
      message: `the namespace ${namespace} is reserved for Kubernetes, AKS, Flux or the mesh`,
      fix: `set namespace: ${byDefault}`,
    };
  }
}
