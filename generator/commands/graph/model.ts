import { compareText } from "../../system/text.ts";

/** A graph of nodes and edges, independent of the output format. */
export interface Graph {
  readonly title: string;
  /** `right` for a wide graph, `down` for a narrow one. */
  readonly direction: "right" | "down";
  /** Text that explains how to read the graph. */
  readonly caption: string;
  readonly boxes: readonly GraphNode[];
  readonly arrows: readonly GraphEdge[];
}

export interface GraphNode {
  /** Name of the node, the same in every environment. */
  readonly name: string;
  readonly lines: readonly string[];
  /** Application that the node belongs to; `outside` for clients that no policy lists. */
  readonly group: string;
  readonly shape: "box" | "store" | "external";
  readonly mark?: Difference;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  /** `allowed` by the policies, `refused` by the policies, or `open`: allowed without identity check. */
  readonly kind: "allowed" | "refused" | "open";
  readonly mark?: Difference;
}

/** Colors of Okabe and Ito, which color-blind readers can distinguish. Text and shapes carry the same information. */
const fixedBorders: Readonly<Record<string, string>> = { linkerd: "#0072B2", meshops: "#009E73", outside: "#6B6B6B" };
const otherBorders = ["#D55E00", "#CC79A7", "#E69F00", "#56B4E9"] as const;

/** Returns the border colors of a graph's groups. Groups without a fixed color get the others in alphabetical order. */
export function bordersOf({ boxes }: Graph): ReadonlyMap<string, string> {
  const groups = [...new Set(boxes.map(({ group }) => group))];
  const others = groups.filter((group) => fixedBorders[group] === undefined).sort(compareText);
  return new Map(
    groups.map((group) => [group, fixedBorders[group] ?? otherBorders[others.indexOf(group) % otherBorders.length] ?? ""]),
  );
}

/** How a node or an edge differs from that of the compared environment. */
type Difference = "only here" | "differs";

/** Compares the graphs of two environments, and marks the differences in both. */
export function compare(a: Graph, b: Graph): [Graph, Graph] {
  const both: [Graph, Graph] = [marked(a, b), marked(b, a)];
  const equal = both.every(({ boxes, arrows }) => [...boxes, ...arrows].every(({ mark }) => mark === undefined));
  const withNote = ({ caption, ...graph }: Graph): Graph => ({
    ...graph,
    caption: `${caption} The two environments do not differ.`,
  });
  return equal ? [withNote(both[0]), withNote(both[1])] : both;
}

function marked(graph: Graph, other: Graph): Graph {
  const boxes = new Map(other.boxes.map((box) => [box.name, box]));
  const arrows = new Map(other.arrows.map((arrow) => [idOf(arrow), arrow]));
  return {
    ...graph,
    boxes: graph.boxes.map((box) => ({ ...box, ...markOf(box.lines, boxes.get(box.name)?.lines) })),
    arrows: graph.arrows.map((arrow) => ({ ...arrow, ...markOf(arrow.lines, arrows.get(idOf(arrow))?.lines) })),
  };
}

/** Returns the identity of an edge. Edges of two graphs correspond if their ends and their kinds are equal. */
export function idOf({ from, to, kind }: GraphEdge): string {
  return JSON.stringify([from, to, kind]);
}

function markOf(here: readonly string[], there: readonly string[] | undefined): { mark?: Difference } {
  if (there === undefined) return { mark: "only here" };
  return here.join("\n") === there.join("\n") ? {} : { mark: "differs" };
}

/** Returns the lines of a node or an edge, followed by its mark. */
export function marksShown({ lines, mark }: Pick<GraphNode | GraphEdge, "lines" | "mark">): readonly string[] {
  return mark === undefined ? lines : [...lines, `≠ ${mark}`];
}
