import { fillTemplate } from "../../system/html.ts";
import { capital } from "../../system/text.ts";
import { type Graph, type GraphEdge, type GraphNode, idOf } from "./picture.ts";
import { toSvg } from "./svg.ts";

/** A page that needs nothing else: the pictures to be moved and searched, and the same as tables. @param groups pictures of one thing each, an environment a picture */
export async function toPage(groups: readonly (readonly Graph[])[], environments: readonly string[]): Promise<string> {
  const sections = await Promise.all(
    groups.map(async (pictures, index) => ({
      id: `section-${index}`,
      heading: capital((pictures[0]?.title ?? "").replace(/^[^:]*: /, "")),
      pictures: await Promise.all(
        pictures.map(async (picture) => ({
          ...picture,
          svg: unique(await toSvg([picture], picture.title), `${index}-${picture.title}`),
        })),
      ),
      rows: rows(pictures, environments),
      several: pictures.length > 1,
    })),
  );
  return fillTemplate(new URL("templates/page.html", import.meta.url), {
    title: environments.join(" and "),
    environments,
    compared: environments.length > 1,
    sections,
  });
}

/** Ids of an SVG are its own, though a page holds several. */
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

/** Every box and arrow of pictures beside each other, with what each picture says of it. */
function rows(pictures: readonly Graph[], environments: readonly string[]): Row[] {
  const boxes = byId(
    pictures,
    ({ boxes: all }) => all,
    ({ name }) => name,
  );
  const arrows = byId(pictures, ({ arrows: all }) => all, idOf);
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
  pictures: readonly Graph[],
  all: (picture: Graph) => readonly T[],
  id: (item: T) => string,
): (T | undefined)[][] {
  const ids = new Set(pictures.flatMap((picture) => all(picture).map(id)));
  return [...ids].map((wanted) => pictures.map((picture) => all(picture).find((item) => id(item) === wanted)));
}

function wordsOf(item: GraphNode | GraphEdge): string {
  const own = "name" in item ? item.lines.filter((line) => line !== item.name) : item.lines;
  return own.join(", ") || "in this order";
}
