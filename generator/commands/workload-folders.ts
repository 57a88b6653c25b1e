import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseDocument } from "yaml";
import type { Repository } from "../bundle/repository.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { parseManifests } from "../kubernetes/read.ts";
import {
  type FolderObject,
  includedNamespaces,
  movedObjects,
  otherNamespaces,
  type ReadFolder,
  workloadNamespaceFieldRule,
  workloadNamespaceObjectRule,
  workloadNamespaceRule,
} from "../lint/specs/folders.ts";
import type { Loaded } from "../spec/load.ts";
import { asMap } from "../system/data.ts";
import { ruleFindings } from "./rule-findings.ts";

/**
 * Returns errors about namespaces in the folders of workloads. It is an error if a folder contains a Namespace object
 * for the namespace of its workload. It is also an error if the field `namespace` of its kustomization.yaml specifies
 * another namespace than the spec.
 */
export function namespaceErrors(root: string, loaded: Loaded): Diagnostic[] {
  return [
    ...ruleFindings(loaded, workloadNamespaceObjectRule, (environment) => includedNamespaces(environment, readerOf(root))),
    ...ruleFindings(loaded, workloadNamespaceFieldRule, (environment) =>
      otherNamespaces(environment, (file) => namespaceField(join(root, file))),
    ),
  ];
}

/**
 * Returns the value of the field `namespace` in a kustomization.yaml. Returns null if the file or the field does not
 * exist.
 */
function namespaceField(path: string): string | null {
  if (!existsSync(path)) return null;
  const { namespace } = asMap(parseDocument(readFileSync(path, "utf8")).toJS());
  return typeof namespace === "string" && namespace !== "" ? namespace : null;
}

/** Returns a warning for each workload whose folder contains objects in other namespaces. */
export function folderFindings({ root }: Repository, all: readonly Loaded[]): Diagnostic[] {
  return all.flatMap((loaded) =>
    ruleFindings(loaded, workloadNamespaceRule, (environment) => movedObjects(environment, readerOf(root))),
  );
}

function readerOf(root: string): ReadFolder {
  return (folder) => objectsBelow(root, folder);
}

/** Returns the objects in the YAML files of a folder and its subfolders. Skips files that cannot be parsed. */
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
