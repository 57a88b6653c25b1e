import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { programFolder } from "../../system/program-folder.ts";
import { compareText } from "../../system/text.ts";

/** Files that are part of the meshops package. The keys are the paths, and the values are the texts. */
export type Assets = ReadonlyMap<string, string>;

/** Returns the templates of the files in a new repository. The paths are relative to `templates/`. */
export function templateAssets(): Assets {
  return assets("commands/init/templates/");
}

/** Returns the files in `bases/`. The paths are relative to `bases/`. */
export function baseAssets(): Assets {
  return assets("../bases/");
}

/** Returns the files from which the image of the test client is built. The paths are relative to `clients/`. */
export function clientAssets(): Assets {
  return assets("../clients/");
}

/**
 * Returns the path of the file that `init` creates from a template. Replaces the prefix `dot-` of a file or folder name
 * with a dot. Removes the extension `.hbs`, which marks a template with placeholders.
 */
export function targetOf(template: string): string {
  return template.replace(/(^|\/)dot-/g, "$1.").replace(/\.hbs$/, "");
}

/**
 * Returns the files in a folder and its subfolders, sorted by path. The paths are relative to the folder, and contain
 * forward slashes.
 *
 * @param folder path relative to `programFolder`
 */
function assets(folder: string): Assets {
  const root = fileURLToPath(new URL(folder, programFolder));
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return new Map(files.sort(compareText).map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
