import { bordersOf, type Graph, type GraphEdge, type GraphNode, marksShown } from "./model.ts";

const styles: Readonly<Record<GraphEdge["kind"], string>> = {
  allowed: 'style=solid arrowhead=normal color="#1b1f24"',
  refused: 'style=dashed arrowhead=tee color="#6B6B6B"',
  open: 'style=bold arrowhead=normal color="#D55E00" penwidth=3',
};

/**
 * Returns graphs in the DOT language of Graphviz. If there are several graphs, each graph has a frame, and the frames
 * are one above the other. The text contains the last graph first, because Graphviz places the first frame at the
 * bottom.
 */
export function toDot(graphs: readonly Graph[], title: string): string {
  const direction = graphs.every((graph) => graph.direction === "down") ? "TB" : "LR";
  const framed = graphs.length > 1;
  return `digraph ${quoted(title)} {
  graph [rankdir=${direction} fontname="Helvetica,Arial,sans-serif" fontsize=16 nodesep=0.3 ranksep=0.7 pad=0.2 bgcolor=white tooltip=${quoted(title)}]
  node [shape=box style="rounded,filled" fillcolor=white fontname="Helvetica,Arial,sans-serif" fontsize=12 fontcolor="#1b1f24" penwidth=2 margin="0.2,0.1"]
  edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 fontcolor="#1b1f24"]
${[...graphs]
  .reverse()
  .map((graph, index) => frame(graph, index, framed))
  .join("")}}
`;
}

function frame(graph: Graph, index: number, framed: boolean): string {
  const id = (name: string): string => quoted(`${index}: ${name}`);
  const borders = bordersOf(graph);
  const boxes = graph.boxes.map((box) => `    ${id(box.name)} [${boxAttributes(box, borders.get(box.group) ?? "")}]\n`).join("");
  const arrows = graph.arrows.map((arrow) => `  ${id(arrow.from)} -> ${id(arrow.to)} [${arrowAttributes(arrow)}]\n`).join("");
  if (!framed) return boxes + arrows;
  return `  subgraph ${quoted(`cluster_${index}`)} {
    label=${quoted(graph.title)} labeljust=l color="#d1d9e0" margin=16
${boxes}  }
${arrows}`;
}

function boxAttributes(box: GraphNode, border: string): string {
  const lines = marksShown(box);
  const shape = { box: "box", store: "cylinder", external: "hexagon" }[box.shape];
  const mark = box.mark === undefined ? "" : ' style="rounded,filled,dashed" penwidth=4';
  return `label=${label(lines)} tooltip=${quoted(lines.join(", "))} color="${border}" shape=${shape}${mark}`;
}

function arrowAttributes({ kind, ...arrow }: GraphEdge): string {
  const lines = marksShown(arrow);
  const words = `${arrow.from} to ${arrow.to}${lines.length === 0 ? "" : `: ${lines.join(", ")}`}`;
  return `label=${label(lines.map((line) => ` ${line} `))} tooltip=${quoted(words)} labeltooltip=${quoted(words)} ${styles[kind]}`;
}

/** Returns a DOT label with one centered line of text per element of `lines`. */
function label(lines: readonly string[]): string {
  return `"${lines.map(escaped).join("\\n")}"`;
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}
