import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { compareText } from "../system/text.ts";
import type { Io } from "./io.ts";

/** A file of manifests: its name as it is told, and its text. */
export interface ManifestFile {
  readonly file: string;
  readonly text: string;
}

/** Largest file that is read, in bytes: a release's CRDs take about one megabyte. */
const maxBytes = 32 * 1024 * 1024;

/**
 * The YAML and JSON files of a folder and below it, sorted; or the one file that is named; or with `-` standard input.
 * Hidden folders, node_modules and Helm charts (whose templates are no YAML yet) are passed over.
 *
 * @throws UserError (missing) where nothing can be read there
 */
export function readManifestFiles({ stdin, cwd }: Io, path: string): ManifestFile[] {
  if (path === "-") return [{ file: "stdin", text: new TextDecoder().decode(stdin.read()) }];
  const target = resolve(cwd, path);
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UserError(exitCode.missing, `there is no ${path}`, "name a folder or a file of manifests, or - for stdin");
  const paths = stat.isDirectory() ? [...walk(target)].sort(compareText) : [target];
  return paths.flatMap((file) => {
    if (statSync(file).size > maxBytes)
      throw new UserError(exitCode.problem, `${relative(cwd, file)} is larger than 32 MiB`, "name the folder of its parts");
    const text = readFileSync(file, "utf8");
    // What states no object, such as values and settings, is none of ours, whether it is YAML or not.
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
