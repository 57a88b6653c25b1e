import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Repository } from "../../bundle/repository.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import {
  type FolderObject,
  includedNamespaces,
  movedObjects,
  type ReadFolder,
  workloadNamespaceObjectRule,
  workloadNamespaceRule,
} from "../../lint/specs/folders.ts";
import { judgement } from "../../lint/specs.ts";
import type { Loaded } from "../../spec/load.ts";
import type { RuleFinding } from "../../spec/rule.ts";

/** Returns findings about the objects in the folders of workloads. */
export function folderFindings({ root }: Repository, loaded: readonly Loaded[]): Diagnostic[] {
  return loaded.flatMap(({ environment, locate }) => {
    if (environment === null || locate === null) return [];
    const report = (rule: RuleInfo, findings: Iterable<RuleFinding>): Diagnostic[] =>
      [...findings].map((finding) => locate(judgement(rule, finding, environment)));
    const read: ReadFolder = (folder) => objectsBelow(root, folder);
    return [
      ...report(workloadNamespaceObjectRule, includedNamespaces(environment, read)),
      ...report(workloadNamespaceRule, movedObjects(environment, read)),
    ];
  });
}

/** Objects in the YAML files below a folder. Files that cannot be parsed are skipped. */
function objectsBelow(root: string, folder: string): FolderObject[] {
  const top = join(root, folder);
  if (statSync(top, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const files = readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((path) => {
    const file = relative(root, path);
    return parseManifests(file, readFileSync(path, "utf8")).objects.map(({ kind, name, namespace }) => ({
      file,
      kind,
      name,
      namespace,
    }));
  });
}
