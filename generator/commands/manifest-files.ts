import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { compareText } from "../system/text.ts";
import type { Io } from "./io.ts";

/** A file of manifests: the path that findings show, and the text. */
export interface ManifestFile {
  readonly file: string;
  readonly text: string;
}

/** Maximum size of a file in bytes. For comparison: the CRDs of one Linkerd release are about one megabyte. */
const maxBytes = 32 * 1024 * 1024;

/**
 * Reads a file, stdin (`-`), or all YAML and JSON files in a folder and its subfolders, sorted by path. In a folder,
 * skips hidden files, hidden folders, node_modules and Helm charts. The templates of a chart are not valid YAML before
 * Helm renders the templates.
 *
 * @throws UserError (missing) if the path does not exist; UserError (problem) if a file is too large
 */
export function readManifestFiles({ stdin, cwd }: Io, path: string): ManifestFile[] {
  if (path === "-") return [{ file: "stdin", text: new TextDecoder().decode(stdin.read()) }];
  const target = resolve(cwd, path);
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UserError(exitCode.missing, `${path} does not exist`, "specify a folder or a file of manifests, or - for stdin");
  const paths = stat.isDirectory() ? [...walk(target)].sort(compareText) : [target];
  return paths.flatMap((file) => {
    if (statSync(file).size > maxBytes)
      throw new UserError(
        exitCode.problem,
        `${relative(cwd, file)} is larger than 32 MiB`,
        "split the file into smaller files, and specify the folder of these files",
      );
    const text = readFileSync(file, "utf8");
    // In a folder, skip files without the word apiVersion, such as Helm values. These files are not parsed, so they
    // need not be valid YAML.
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
