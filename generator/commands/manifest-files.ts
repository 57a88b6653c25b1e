import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { compareText } from "../system/text.ts";
import type { Io } from "./io.ts";

/** A file of manifests: the path that findings show, and the text. */
interface ManifestFile {
  readonly file: string;
  readonly text: string;
}

/**
 * Result of `readManifestFiles`: the files that were read, and the folders that were skipped although they contain YAML
 * files.
 */
export interface ManifestFiles {
  readonly files: readonly ManifestFile[];
  /** Skipped folders with the templates of Helm charts. Only Helm can convert these templates to manifests. */
  readonly templates: readonly string[];
  /** Skipped folders with a leading dot in the name, if they contain YAML files. Does not include .git and .github. */
  readonly hidden: readonly string[];
}

/** Maximum size of a file in bytes. For comparison, the CRDs of one Linkerd release have about one megabyte. */
const maxBytes = 32 * 1024 * 1024;

/**
 * Reads manifests from a file, from stdin (`-`), or from all YAML and JSON files in a folder and its subfolders, sorted
 * by path. In a folder, the function skips hidden files, hidden folders and node_modules. It also skips the templates
 * and dependencies of Helm charts, because a template is not valid YAML before Helm renders it.
 *
 * @throws UserError (missing) if the path does not exist; UserError (problem) if a file is too large
 */
export function readManifestFiles({ stdin, cwd }: Io, path: string): ManifestFiles {
  if (path === "-")
    return { files: [{ file: "stdin", text: new TextDecoder().decode(stdin.read()) }], templates: [], hidden: [] };
  const target = resolve(cwd, path);
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UserError(exitCode.missing, `${path} does not exist`, "specify a folder or a file of manifests, or - for stdin");
  const found: Found = { paths: [], templates: [], hidden: [] };
  if (stat.isDirectory()) walk(target, found);
  else found.paths.push(target);
  const named = (file: string): string => toSlashes(relative(cwd, file));
  const files = found.paths.sort(compareText).flatMap((file) => {
    if (statSync(file).size > maxBytes)
      throw new UserError(
        exitCode.problem,
        `${named(file)} is larger than 32 MiB`,
        "split the file into smaller files, and specify the folder that contains these files",
      );
    const text = readFileSync(file, "utf8");
    // In a folder, skip files that do not contain the word apiVersion, such as values for Helm. Such files contain no
    // manifests, and can contain text that is not valid YAML.
    return /\bapiVersion\b/.test(text) || !stat.isDirectory() ? [{ file: named(file), text }] : [];
  });
  return { files, templates: found.templates.map(named).sort(compareText), hidden: found.hidden.map(named).sort(compareText) };
}

interface Found {
  readonly paths: string[];
  readonly templates: string[];
  readonly hidden: string[];
}

/**
 * Adds the manifest files of a folder and its subfolders to `found.paths`. Skips the templates of Helm charts, and adds
 * their folders to `found.templates`. Skips hidden folders, and adds the hidden folders that contain YAML files to
 * `found.hidden`.
 */
function walk(folder: string, found: Found): void {
  const entries = readdirSync(folder, { withFileTypes: true });
  const isChart = entries.some(({ name }) => name === "Chart.yaml");
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === "node_modules" || entry.name === ".git" || entry.name === ".github") continue;
      if (isChart && (entry.name === "templates" || entry.name === "charts")) {
        if (entry.name === "templates") found.templates.push(path);
      } else if (!entry.name.startsWith(".")) walk(path, found);
      else if (hasYaml(path)) found.hidden.push(path);
    } else if (entry.isFile() && !entry.name.startsWith(".") && isYaml(entry.name) && entry.name !== "Chart.yaml")
      found.paths.push(path);
  }
}

function isYaml(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}

function hasYaml(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory() ? hasYaml(join(folder, entry.name)) : /\.ya?ml$/.test(entry.name),
  );
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
