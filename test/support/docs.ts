import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./tools.ts";

/** A block of code in the docs that has a name: `<!-- file: mesh.yaml -->` or `<!-- command: helm3 -->` before it. */
export function blocksIn(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(projectRoot, page), "utf8");
  const blocks = [...text.matchAll(/^<!-- (\w+: [^>]+?) -->\n```\w*\n(.*?)^```$/gms)];
  return new Map(blocks.map(([, name = "", code = ""]) => [name, code]));
}

/** The block of a name. */
export function blockOf(page: string, name: string): string {
  const block = blocksIn(page).get(name);
  if (block === undefined) throw new Error(`${page} has no block "${name}"`);
  return block;
}
