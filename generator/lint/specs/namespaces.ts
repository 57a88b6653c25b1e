import { providers } from "../../components/registry.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Namespaces of workloads. */
export const namespaceRules: readonly Rule[] = [
  {
    code: "namespace-reserved",
    severity: "error",
    title: "A namespace that belongs to somebody else",
    why: "Kubernetes, AKS, Flux and the mesh own these namespaces: they label them, exempt them from injection, or delete them at teardown.",
    fix: "Give it a namespace of its own.",
    check: ownNamespaces,
  },
];

/** Namespaces of Kubernetes, AKS and Flux; those of the mesh are named by its components. */
const platform = /^(default|kube-.*|aks-.*|flux-system|calico-system|tigera-operator|gatekeeper-system)$/;

function* ownNamespaces(environment: Environment): Iterable<RuleFinding> {
  const reserved = new Set(providers.flatMap(({ reservedNamespaces = [] }) => reservedNamespaces));
  for (const section of ["dgraph", "pydgraphClient"] as const) {
    const { namespace } = environment.spec[section];
    if (!platform.test(namespace) && !reserved.has(namespace)) continue;
    yield {
      paths: [spec(section, "namespace")],
      message: `the namespace ${namespace} belongs to somebody else`,
      fix: "give it a namespace of its own",
    };
  }
}
