import { fillTemplate } from "../../system/html.ts";
import { programFolder } from "../../system/program-folder.ts";
import { capital } from "../../system/text.ts";
import { type Graph, type GraphEdge, type GraphNode, idOf } from "./model.ts";
import { toSvg } from "./svg.ts";

/**
 * Returns a self-contained HTML page with graphs. The user can move, zoom and search the graphs. Tables on the page
 * contain the same data as the graphs.
 *
 * @param groups one list of graphs per subject (startup order or access). Each list contains one graph per environment
 */
export async function toPage(groups: readonly (readonly Graph[])[], environments: readonly string[]): Promise<string> {
  const sections = await Promise.all(
    groups.map(async (graphs, index) => ({
      id: `section-${index}`,
      heading: capital((graphs[0]?.title ?? "").replace(/^[^:]*: /, "")),
      graphs: await Promise.all(
        graphs.map(async (graph) => ({
          ...graph,
          svg: unique(await toSvg([graph], graph.title), `${index}-${graph.title}`),
        })),
      ),
      rows: rows(graphs, environments),
      several: graphs.length > 1,
    })),
  );
  return fillTemplate(new URL("commands/graph/templates/page.html", programFolder), {
    title: environments.join(" and "),
    environments,
    compared: environments.length > 1,
    sections,
  });
}

/** Adds a prefix to the `id` attributes of an SVG, because each `id` must be unique on a page with several SVGs. */
function unique(svg: string, prefix: string): string {
  const clean = prefix.replace(/[^a-z0-9]+/gi, "-");
  return svg.replace(/ id="([^"]+)"/g, ` id="${clean}-$1"`);
}

interface Row {
  readonly from: string;
  readonly to: string;
  readonly cells: readonly string[];
  readonly difference: string;
}

/**
 * Returns one table row per node and one per edge. A row contains the text of the node or edge in the graph of each
 * environment.
 */
function rows(graphs: readonly Graph[], environments: readonly string[]): Row[] {
  const boxes = byId(
    graphs,
    ({ boxes: all }) => all,
    ({ name }) => name,
  );
  const arrows = byId(graphs, ({ arrows: all }) => all, idOf);
  return [...boxes, ...arrows].map((items) => {
    const [known] = items.filter((item) => item !== undefined);
    const { from, to } = known !== undefined && "from" in known ? known : { from: known?.name ?? "", to: "" };
    return {
      from,
      to,
      cells: items.map((item) => (item === undefined ? "–" : wordsOf(item))),
      difference: items.includes(undefined)
        ? `only in ${environments[items.findIndex((item) => item !== undefined)]}`
        : (known?.mark ?? ""),
    };
  });
}

function byId<T extends GraphNode | GraphEdge>(
  graphs: readonly Graph[],
  all: (graph: Graph) => readonly T[],
  id: (item: T) => string,
): (T | undefined)[][] {
  const ids = new Set(graphs.flatMap((graph) => all(graph).map(id)));
  return [...ids].map((wanted) => graphs.map((graph) => all(graph).find((item) => id(item) === wanted)));
}

function wordsOf(item: GraphNode | GraphEdge): string {
  const own = "name" in item ? item.lines.filter((line) => line !== item.name) : item.lines;
  return own.join(", ") || "in this order";
}
