import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./tools.ts";

/**
 * Returns the named code blocks of a docs page, keyed by name. The name of a block is in a comment directly before the
 * block. Examples are:
 *
 *     <!-- file: mesh.yaml -->
 *     <!-- command: helm3 -->
 */
export function blocksIn(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(projectRoot, page), "utf8");
  const blocks = [...text.matchAll(/^<!-- (\w+: [^>]+?) -->\n```\w*\n(.*?)^```$/gms)];
  return new Map(blocks.map(([, name = "", code = ""]) => [name, code]));
}

/** Returns the code block with the given name. Throws if the page has no such block. */
export function blockOf(page: string, name: string): string {
  const block = blocksIn(page).get(name);
  if (block === undefined) throw new Error(`${page} has no block "${name}"`);
  return block;
}
