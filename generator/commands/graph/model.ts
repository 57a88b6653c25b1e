import { compareText } from "../../system/text.ts";

/** A graph of nodes and edges, independent of the output format. */
export interface Graph {
  readonly title: string;
  /** Direction in which the edges point: to the right or down. */
  readonly direction: "right" | "down";
  /** Text that explains how to read the graph. */
  readonly caption: string;
  readonly boxes: readonly GraphNode[];
  readonly arrows: readonly GraphEdge[];
}

export interface GraphNode {
  /** Name of the node. `compare` compares the two nodes that have the same name in the graphs of two environments. */
  readonly name: string;
  readonly lines: readonly string[];
  /**
   * Name of the group, which determines the border color. The nodes of a component have the value of the component's
   * field `group`. The node for clients that no policy lists has the value `outside`.
   */
  readonly group: string;
  readonly shape: "box" | "store" | "external";
  readonly mark?: Difference;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  /**
   * `allowed` means that the policies allow the connection. `refused` means that the policies refuse the connection.
   * `open` means that the connection is allowed without a check of the client's identity.
   */
  readonly kind: "allowed" | "refused" | "open";
  readonly mark?: Difference;
}

/**
 * Border colors of the groups. People with color blindness can distinguish these colors (Okabe-Ito palette). The graph
 * shows the same information with text and shapes, so it is readable without colors.
 */
const fixedBorders: Readonly<Record<string, string>> = { linkerd: "#0072B2", meshops: "#009E73", outside: "#6B6B6B" };
const otherBorders = ["#D55E00", "#CC79A7", "#E69F00", "#56B4E9"] as const;

/**
 * Returns the border color of each group in a graph. Groups that are not in `fixedBorders` get the colors in
 * `otherBorders`, in alphabetical order of the groups.
 */
export function bordersOf({ boxes }: Graph): ReadonlyMap<string, string> {
  const groups = [...new Set(boxes.map(({ group }) => group))];
  const others = groups.filter((group) => fixedBorders[group] === undefined).sort(compareText);
  return new Map(
    groups.map((group) => [group, fixedBorders[group] ?? otherBorders[others.indexOf(group) % otherBorders.length] ?? ""]),
  );
}

/**
 * How a node or edge differs from the graph of the other environment. `only here` means that the other graph does not
 * contain the node or edge. `differs` means that the node or edge has another text in the other graph.
 */
type Difference = "only here" | "differs";

/**
 * Returns the graphs of two environments with marks at the nodes and edges that differ. If nothing differs, adds a
 * sentence to the captions.
 */
export function compare(a: Graph, b: Graph): [Graph, Graph] {
  const both: [Graph, Graph] = [marked(a, b), marked(b, a)];
  const equal = both.every(({ boxes, arrows }) => [...boxes, ...arrows].every(({ mark }) => mark === undefined));
  const withNote = ({ caption, ...graph }: Graph): Graph => ({
    ...graph,
    caption: `${caption} The graphs of the two environments do not differ.`,
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

/**
 * Returns a string that identifies an edge by its two nodes and its kind. `compare` compares the two edges that have
 * the same string in the graphs of two environments.
 */
export function idOf({ from, to, kind }: GraphEdge): string {
  return JSON.stringify([from, to, kind]);
}

function markOf(here: readonly string[], there: readonly string[] | undefined): { mark?: Difference } {
  if (there === undefined) return { mark: "only here" };
  return here.join("\n") === there.join("\n") ? {} : { mark: "differs" };
}

/**
 * Returns the lines of text of a node or an edge. If the node or edge differs from the other graph, the last line shows
 * the difference.
 */
export function marksShown({ lines, mark }: Pick<GraphNode | GraphEdge, "lines" | "mark">): readonly string[] {
  return mark === undefined ? lines : [...lines, `≠ ${mark}`];
}
