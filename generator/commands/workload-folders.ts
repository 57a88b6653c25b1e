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
 * Returns errors about namespaces in the folders of workloads: a Namespace object for the namespace of the workload, or
 * another namespace in the kustomization.yaml.
 */
export function namespaceErrors(root: string, loaded: Loaded): Diagnostic[] {
  return [
    ...ruleFindings(loaded, workloadNamespaceObjectRule, (environment) => includedNamespaces(environment, readerOf(root))),
    ...ruleFindings(loaded, workloadNamespaceFieldRule, (environment) =>
      otherNamespaces(environment, (file) => namespaceField(join(root, file))),
    ),
  ];
}

/** Returns the field `namespace` of a kustomization.yaml. Null if the file or the field does not exist. */
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
