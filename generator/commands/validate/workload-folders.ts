import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Repository } from "../../bundle/repository.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { type FolderObject, movedObjects, workloadNamespaceRule } from "../../lint/specs/folders.ts";
import { judgement } from "../../lint/specs.ts";
import type { Loaded } from "../../spec/load.ts";

/** Returns a finding for each workload whose folder contains objects in other namespaces. */
export function folderFindings({ root }: Repository, loaded: readonly Loaded[]): Diagnostic[] {
  return loaded.flatMap(({ environment, locate }) => {
    if (environment === null || locate === null) return [];
    const found = movedObjects(environment, (folder) => objectsBelow(root, folder));
    return [...found].map((finding) => locate(judgement(workloadNamespaceRule, finding, environment)));
  });
}

/** Objects in the YAML files below a folder that specify a namespace. Files that cannot be parsed are skipped. */
function objectsBelow(root: string, folder: string): FolderObject[] {
  const top = join(root, folder);
  if (!existsSync(top)) return [];
  const files = readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((path) => {
    const file = relative(root, path);
    return parseManifests(file, readFileSync(path, "utf8")).objects.flatMap(({ kind, value }) => {
      const [namespace, name] = ["namespace", "name"].map((field) => at(value, "metadata", field));
      return typeof namespace === "string" ? [{ file, kind, name: String(name), namespace }] : [];
    });
  });
}
