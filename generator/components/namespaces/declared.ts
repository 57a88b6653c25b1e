import { annotationDifferences, meshAnnotations, namespacesOfOthers } from "../../mesh/namespace-settings.ts";
import type { DeclaredNamespace, Environment } from "../../spec/environment.generated.ts";
import type { ClusterState, StateCheck } from "../check.ts";
import { type CheckResult, failed, passed } from "../check-result.ts";
import type { NamespaceSpec } from "../component.ts";

/**
 * Returns the namespaces in `spec.namespaces` that meshops creates. Omits the labels and annotations that a component
 * also sets in the same namespace, because the values of the component take precedence. The rule `namespace-conflict`
 * reports differences between the values.
 */
export function declaredNamespaces(environment: Environment, ofComponents: readonly NamespaceSpec[]): NamespaceSpec[] {
  const created = Object.entries(environment.spec.namespaces).filter(([, { create }]) => create);
  return created.map(([name, declared]) => {
    const others = ofComponents.filter((each) => each.name === name);
    const without = (map: Readonly<Record<string, string>>): Record<string, string> =>
      Object.fromEntries(
        Object.entries(map).filter(
          ([key]) => !others.some(({ labels, annotations = {} }) => key in labels || key in annotations),
        ),
      );
    return { name, labels: without(declared.labels), annotations: without(meshAnnotations(declared)) };
  });
}

/**
 * Returns a list with one test. The test checks the namespaces that the spec declares but meshops does not create.
 * Returns an empty list if the spec declares no such namespace.
 */
export function namespaceChecks(environment: Environment): readonly StateCheck[] {
  const others = namespacesOfOthers(environment);
  if (others.length === 0) return [];
  return [
    {
      id: "M9",
      title: "namespaces that meshops does not create have the declared settings",
      expected: "each namespace has the annotations that spec.namespaces declares",
      evaluate: (state) => settingsOf(state, others),
    },
  ];
}

function settingsOf(
  { namespaces }: ClusterState,
  others: readonly (readonly [name: string, declared: DeclaredNamespace])[],
): CheckResult {
  const problems = others.flatMap(([name, declared]) => {
    const found = namespaces.find(({ metadata }) => metadata.name === name);
    if (found === undefined) return [`${name} does not exist`];
    return annotationDifferences(declared, found.metadata.annotations ?? {}).map((each) => `${name}: ${each}`);
  });
  return problems.length === 0
    ? passed(others.map(([name]) => name).join(", "))
    : failed(problems.join("; "), {
        fix: "use the tool that manages these namespaces to create the missing namespaces and to correct the annotations; or correct spec.namespaces",
      });
}
