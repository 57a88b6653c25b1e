import { contentsOf } from "../../components/contents.ts";
import type { ComponentModel, Model } from "../../components/model.ts";
import type { Graph } from "./model.ts";

/** In which order an environment's components come up: an arrow leads to what waits. */
export function orderOf({ environment, components }: Model): Graph {
  return {
    title: `${environment.metadata.name}: order of reconciliation`,
    direction: "down",
    caption: "A component starts when all that lead to it are ready. Flux and helmfile keep the same order.",
    boxes: components.map((component) => ({
      name: component.name,
      lines: [component.name, contentsOf(component)],
      family: component.partOf,
      shape: "box",
    })),
    arrows: components.flatMap(({ name, needs }) =>
      direct(needs, components).map((need) => ({ from: need, to: name, lines: [], kind: "allowed" as const })),
    ),
  };
}

/** The needs that follow from no other need. */
function direct(needs: readonly string[], components: readonly ComponentModel[]): string[] {
  const needsOf = (name: string): readonly string[] => components.find((component) => component.name === name)?.needs ?? [];
  const behind = (name: string): string[] => needsOf(name).flatMap((need) => [need, ...behind(need)]);
  const implied = new Set(needs.flatMap(behind));
  return needs.filter((need) => !implied.has(need));
}
