import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { programFolder } from "../../system/program-folder.ts";
import { compareText } from "../../system/text.ts";

/** Files that are part of the meshops package. The key is the path, the value the text. */
export type Assets = ReadonlyMap<string, string>;

/** Returns the templates of a new repository. Paths are relative to the template folder. */
export function templateAssets(): Assets {
  return assets("commands/init/templates/");
}

/** Returns the Kustomize bases. Paths are relative to `bases/`. */
export function baseAssets(): Assets {
  return assets("../bases/");
}

/** Returns the sources of the test client's image. Paths are relative to `clients/`. */
export function clientAssets(): Assets {
  return assets("../clients/");
}

/**
 * Returns the path of the file that is created from a template. Replaces `dot-` with a leading dot, and removes the
 * extension `.hbs`, which marks templates with placeholders.
 */
export function targetOf(template: string): string {
  return template.replace(/(^|\/)dot-/g, "$1.").replace(/\.hbs$/, "");
}

/**
 * Returns the files below a folder. `folder` is relative to the program's folder. The paths are sorted and contain
 * forward slashes.
 */
function assets(folder: string): Assets {
  const root = fileURLToPath(new URL(folder, programFolder));
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return new Map(files.sort(compareText).map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
