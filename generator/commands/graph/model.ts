import { compareText } from "../../system/text.ts";

/** A graph of nodes and edges, independent of the output format. */
export interface Graph {
  readonly title: string;
  /** Direction of the edges: `right` for a wide graph, `down` for a narrow graph. */
  readonly direction: "right" | "down";
  /** Text that explains how to read the graph. */
  readonly caption: string;
  readonly boxes: readonly GraphNode[];
  readonly arrows: readonly GraphEdge[];
}

export interface GraphNode {
  /** Name of the node. A component or client has the same name in the graphs of all environments. */
  readonly name: string;
  readonly lines: readonly string[];
  /** Name of the application that contains the node, or `outside` for clients that no policy lists. */
  readonly group: string;
  readonly shape: "box" | "store" | "external";
  readonly mark?: Difference;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  /**
   * `allowed`: the policies allow the connection. `refused`: the policies refuse the connection. `open`: the connection
   * is allowed without an identity check.
   */
  readonly kind: "allowed" | "refused" | "open";
  readonly mark?: Difference;
}

/**
 * Border colors of groups. People with color blindness can distinguish these colors (Okabe-Ito palette). Text and
 * shapes show the same information as the colors.
 */
const fixedBorders: Readonly<Record<string, string>> = { linkerd: "#0072B2", meshops: "#009E73", outside: "#6B6B6B" };
const otherBorders = ["#D55E00", "#CC79A7", "#E69F00", "#56B4E9"] as const;

/**
 * Returns the border color of each group in a graph. Groups without a fixed color get the remaining colors, in
 * alphabetical order of the groups.
 */
export function bordersOf({ boxes }: Graph): ReadonlyMap<string, string> {
  const groups = [...new Set(boxes.map(({ group }) => group))];
  const others = groups.filter((group) => fixedBorders[group] === undefined).sort(compareText);
  return new Map(
    groups.map((group) => [group, fixedBorders[group] ?? otherBorders[others.indexOf(group) % otherBorders.length] ?? ""]),
  );
}

/** Result of comparing a node or an edge with the graph of the other environment. */
type Difference = "only here" | "differs";

/** Compares the graphs of two environments, and marks the differences in both graphs. */
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

/** Returns a key for an edge. Edges of two graphs have the same key if their nodes and kinds are equal. */
export function idOf({ from, to, kind }: GraphEdge): string {
  return JSON.stringify([from, to, kind]);
}

function markOf(here: readonly string[], there: readonly string[] | undefined): { mark?: Difference } {
  if (there === undefined) return { mark: "only here" };
  return here.join("\n") === there.join("\n") ? {} : { mark: "differs" };
}

/** Returns the lines of a node or an edge. The last line is the difference mark, if the node or the edge has one. */
export function marksShown({ lines, mark }: Pick<GraphNode | GraphEdge, "lines" | "mark">): readonly string[] {
  return mark === undefined ? lines : [...lines, `≠ ${mark}`];
}
