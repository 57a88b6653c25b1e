import { toDot } from "./dot.ts";
import type { Graph } from "./model.ts";

/**
 * Returns graphs as one SVG, which also contains a description as text. The function imports Graphviz only when it is
 * called, because loading Graphviz takes half a second.
 */
export async function toSvg(graphs: readonly Graph[], title: string): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(toDot(graphs, title), "svg", "dot");
  return accessible(svg.slice(svg.indexOf("<svg")), graphs, title);
}

/**
 * Adds the attributes `role` and `aria-label` and a description to an SVG, for screen readers. The description contains
 * one phrase per edge.
 */
function accessible(svg: string, graphs: readonly Graph[], title: string): string {
  const description = graphs.map((graph) => `${graph.title}. ${graph.caption} ${sentences(graph).join(". ")}.`).join(" ");
  const head = `<desc>${xml(description)}</desc>`;
  return svg.replace("<svg ", `<svg role="img" aria-label="${xml(title)}" `).replace(/(<svg [^>]*>)/, `$1\n${head}`);
}

/** Returns one phrase per edge of a graph, such as `web to Dgraph: 9080 gRPC`. */
export function sentences({ arrows }: Graph): string[] {
  return arrows.map(({ from, to, lines, mark }) => {
    const what = lines.length === 0 ? "" : `: ${lines.join(", ")}`;
    return `${from} to ${to}${what}${mark === undefined ? "" : ` (${mark})`}`;
  });
}

function xml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
}
