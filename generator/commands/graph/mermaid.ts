import { bordersOf, type Graph, type GraphEdge, type GraphNode, marksShown } from "./model.ts";

const arrowOf: Readonly<Record<GraphEdge["kind"], string>> = { allowed: "-->", refused: "-.-x", open: "==>" };

/** Returns graphs as Markdown. Each graph is a Mermaid diagram, which GitHub shows as an image. */
export function toMermaid(graphs: readonly Graph[]): string {
  return graphs.map((graph) => `### ${graph.title}\n\n${graph.caption}\n\n\`\`\`mermaid\n${diagram(graph)}\`\`\`\n`).join("\n");
}

function diagram(graph: Graph): string {
  const { boxes, arrows, title, direction } = graph;
  const ids = new Map(boxes.map(({ name }, index) => [name, `b${index}`]));
  const borders = bordersOf(graph);
  const lines = [
    `flowchart ${direction === "right" ? "LR" : "TB"}`,
    `  accTitle: ${title}`,
    ...boxes.map((box) => `  ${ids.get(box.name)}${shape(box)}:::${box.group}`),
    ...arrows.map((arrow) => `  ${ids.get(arrow.from)} ${arrowOf[arrow.kind]}${label(marksShown(arrow))} ${ids.get(arrow.to)}`),
    ...[...borders].map(([group, color]) => `  classDef ${group} fill:#ffffff,stroke:${color},stroke-width:2px,color:#1b1f24`),
    ...boxes.flatMap(({ name, mark }) =>
      mark === undefined ? [] : [`  style ${ids.get(name)} stroke-width:5px,stroke-dasharray:6 3`],
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function shape(box: GraphNode): string {
  const text = `"${marksShown(box).map(escaped).join("<br/>")}"`;
  return { box: `[${text}]`, store: `[(${text})]`, external: `{{${text}}}` }[box.shape];
}

function label(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `|"${lines.map(escaped).join("<br/>")}"|`;
}

function escaped(text: string): string {
  return text.replace(/[&"<>#;]/g, (sign) => `#${sign.codePointAt(0)};`);
}
