import { toDot } from "./dot.ts";
import type { Graph } from "./picture.ts";

/** Pictures as one SVG that says in words what it shows. Graphviz, half a second's load, comes when it is needed. */
export async function toSvg(pictures: readonly Graph[], title: string): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(toDot(pictures, title), "svg", "dot");
  return accessible(svg.slice(svg.indexOf("<svg")), pictures, title);
}

/** `role` and a description for screen readers: a picture is read as its sentences. */
function accessible(svg: string, pictures: readonly Graph[], title: string): string {
  const description = pictures
    .map((picture) => `${picture.title}. ${picture.caption} ${sentences(picture).join(". ")}.`)
    .join(" ");
  const head = `<desc>${xml(description)}</desc>`;
  return svg.replace("<svg ", `<svg role="img" aria-label="${xml(title)}" `).replace(/(<svg [^>]*>)/, `$1\n${head}`);
}

/** What a picture says, an arrow a sentence. */
export function sentences({ arrows }: Graph): string[] {
  return arrows.map(({ from, to, lines, mark }) => {
    const what = lines.length === 0 ? "" : `: ${lines.join(", ")}`;
    return `${from} to ${to}${what}${mark === undefined ? "" : ` (${mark})`}`;
  });
}

function xml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
}
