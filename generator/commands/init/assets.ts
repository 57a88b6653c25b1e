import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { programFolder } from "../../system/program-folder.ts";
import { compareText } from "../../system/text.ts";

/** Files that are part of the program: path to text. */
export type Assets = ReadonlyMap<string, string>;

/** Templates of a new repository, by path relative to their folder. */
export function templateAssets(): Assets {
  return assets("commands/init/templates/");
}

/** Kustomize bases, by path relative to `bases/`. */
export function baseAssets(): Assets {
  return assets("../bases/");
}

/**
 * Returns the path of the file that a template becomes: `dot-` is the leading dot of a hidden file, and `.hbs` is the
 * ending of templates with placeholders.
 */
export function targetOf(template: string): string {
  return template.replace(/(^|\/)dot-/g, "$1.").replace(/\.hbs$/, "");
}

/** Files below a folder that is named relative to the program's: paths with forward slashes, sorted. */
function assets(folder: string): Assets {
  const root = fileURLToPath(new URL(folder, programFolder));
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return new Map(files.sort(compareText).map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
