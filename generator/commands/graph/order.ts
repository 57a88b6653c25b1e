import { contentsOf } from "../../components/contents.ts";
import { type ComponentModel, type Model, neededComponents } from "../../components/model.ts";
import type { Graph } from "./model.ts";

/**
 * Returns the graph of the startup order of an environment's components. An edge points from a component to a component
 * that waits for it.
 */
export function orderOf({ environment, components }: Model): Graph {
  return {
    title: `${environment.metadata.name}: order of reconciliation`,
    direction: "down",
    caption: "A component starts when all components with an arrow to it are ready. Flux and helmfile use the same order.",
    boxes: components.map((component) => ({
      name: component.id,
      lines: [component.id, contentsOf(component)],
      group: component.group,
      shape: "box",
    })),
    arrows: components.flatMap((component) =>
      direct(neededComponents(component), components).map((need) => ({
        from: need,
        to: component.id,
        lines: [],
        kind: "allowed" as const,
      })),
    ),
  };
}

/**
 * Returns the dependencies that the graph must show. Omits a dependency that another dependency of the same component
 * already requires, directly or indirectly.
 */
function direct(needs: readonly string[], components: readonly ComponentModel[]): string[] {
  const needsOf = (id: string): readonly string[] => components.filter((each) => each.id === id).flatMap(neededComponents);
  const behind = (id: string): string[] => needsOf(id).flatMap((need) => [need, ...behind(need)]);
  const implied = new Set(needs.flatMap(behind));
  return needs.filter((need) => !implied.has(need));
}
