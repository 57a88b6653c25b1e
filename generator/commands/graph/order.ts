import { summaryOf } from "../../components/contents.ts";
import { type ComponentModel, type Model, neededComponents } from "../../components/model.ts";
import type { Graph } from "./model.ts";

/**
 * Returns the graph of the startup order of an environment's components. An edge from component A to component B means
 * that B starts when A is ready. The graph omits an edge if other edges already imply it.
 */
export function orderOf({ environment, components }: Model): Graph {
  return {
    title: `${environment.metadata.name}: order of reconciliation`,
    direction: "down",
    caption: "An arrow from A to B means that B starts when A is ready. Flux and helmfile use the same order.",
    boxes: components.map((component) => ({
      name: component.id,
      lines: [component.id, summaryOf(component)],
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
 * Returns the components in `needs` that the graph must show as dependencies of a component. Omits a component X if
 * another component in `needs` depends on X, directly or indirectly.
 */
function direct(needs: readonly string[], components: readonly ComponentModel[]): string[] {
  const needsOf = (id: string): readonly string[] => components.filter((each) => each.id === id).flatMap(neededComponents);
  const behind = (id: string): string[] => needsOf(id).flatMap((need) => [need, ...behind(need)]);
  const implied = new Set(needs.flatMap(behind));
  return needs.filter((need) => !implied.has(need));
}
