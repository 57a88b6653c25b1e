import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { compareText } from "../system/text.ts";
import type { Io } from "./io.ts";

/** A file of manifests: its name as shown in findings, and its text. */
export interface ManifestFile {
  readonly file: string;
  readonly text: string;
}

/** Maximum size of a file in bytes. The CRDs of one release take about one megabyte. */
const maxBytes = 32 * 1024 * 1024;

/**
 * Reads the YAML and JSON files in a folder and its subfolders, sorted; or one file; or stdin for `-`.
 * Skips hidden files and folders, node_modules and Helm charts (whose templates are not YAML until they are rendered).
 *
 * @throws UserError (missing) if the path does not exist, (problem) if a file is too large
 */
export function readManifestFiles({ stdin, cwd }: Io, path: string): ManifestFile[] {
  if (path === "-") return [{ file: "stdin", text: new TextDecoder().decode(stdin.read()) }];
  const target = resolve(cwd, path);
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UserError(exitCode.missing, `${path} does not exist`, "name a folder or a file of manifests, or - for stdin");
  const paths = stat.isDirectory() ? [...walk(target)].sort(compareText) : [target];
  return paths.flatMap((file) => {
    if (statSync(file).size > maxBytes)
      throw new UserError(
        exitCode.problem,
        `${relative(cwd, file)} is larger than 32 MiB`,
        "split the file, and name the folder of the parts",
      );
    const text = readFileSync(file, "utf8");
    // Skip files without an apiVersion, such as Helm values and settings, whether or not they are valid YAML.
    return /\bapiVersion\b/.test(text) || !stat.isDirectory() ? [{ file: toSlashes(relative(cwd, file)), text }] : [];
  });
}

function* walk(folder: string): Iterable<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === "Chart.yaml")) return;
  for (const entry of entries) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile() && /\.(ya?ml|json)$/.test(entry.name)) yield path;
  }
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
