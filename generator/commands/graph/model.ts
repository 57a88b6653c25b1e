import { compareText } from "../../system/text.ts";

/** A graph of boxes and arrows, before it is drawn. */
export interface Graph {
  readonly title: string;
  /** `right` for a wide graph, `down` for a narrow one. */
  readonly direction: "right" | "down";
  /** What must be known to read it right. */
  readonly caption: string;
  readonly boxes: readonly GraphNode[];
  readonly arrows: readonly GraphEdge[];
}

export interface GraphNode {
  /** Name of the box, the same in every environment. */
  readonly name: string;
  readonly lines: readonly string[];
  /** Application that the node belongs to; `outside` for clients that no policy names. */
  readonly group: string;
  readonly shape: "box" | "store" | "external";
  readonly mark?: Difference;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  /** `allowed`: by the policies; `refused`: by them; `open`: nobody asks. */
  readonly kind: "allowed" | "refused" | "open";
  readonly mark?: Difference;
}

/** Colors by Okabe and Ito, which color-blind readers can tell apart; words and shapes carry the same information. */
const fixedBorders: Readonly<Record<string, string>> = { linkerd: "#0072B2", meshops: "#009E73", outside: "#6B6B6B" };
const otherBorders = ["#D55E00", "#CC79A7", "#E69F00", "#56B4E9"] as const;

/** Border colors of the groups of a graph; groups without a color of their own get the others in alphabetical order. */
export function bordersOf({ boxes }: Graph): ReadonlyMap<string, string> {
  const groups = [...new Set(boxes.map(({ group }) => group))];
  const others = groups.filter((group) => fixedBorders[group] === undefined).sort(compareText);
  return new Map(
    groups.map((group) => [group, fixedBorders[group] ?? otherBorders[others.indexOf(group) % otherBorders.length] ?? ""]),
  );
}

/** What is not the same in the environment beside this one. */
type Difference = "only here" | "differs";

/** Two graphs of the same things for a comparison: what differs is marked in both. */
export function compare(a: Graph, b: Graph): [Graph, Graph] {
  const both: [Graph, Graph] = [marked(a, b), marked(b, a)];
  const alike = both.every(({ boxes, arrows }) => [...boxes, ...arrows].every(({ mark }) => mark === undefined));
  const said = ({ caption, ...graph }: Graph): Graph => ({ ...graph, caption: `${caption} Here the two are alike.` });
  return alike ? [said(both[0]), said(both[1])] : both;
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

/** An arrow is the same one where it leads from the same to the same, by the same right. */
export function idOf({ from, to, kind }: GraphEdge): string {
  return JSON.stringify([from, to, kind]);
}

function markOf(here: readonly string[], there: readonly string[] | undefined): { mark?: Difference } {
  if (there === undefined) return { mark: "only here" };
  return here.join("\n") === there.join("\n") ? {} : { mark: "differs" };
}

/** The lines of a box or an arrow, and below them its mark. */
export function marksShown({ lines, mark }: Pick<GraphNode | GraphEdge, "lines" | "mark">): readonly string[] {
  return mark === undefined ? lines : [...lines, `≠ ${mark}`];
}
