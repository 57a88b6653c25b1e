import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { isManaged } from "../catalog/well-known.ts";
import { mapAt } from "../kubernetes/object-fields.ts";
import { type Manifest, parseManifests } from "../kubernetes/read.ts";
import { basesFolder, overlaysFolder } from "../spec/layout.ts";
import type { OtherObject, RepositoryFiles } from "../spec/rule.ts";
import { readIfExists } from "../system/files.ts";
import { gitRootOf, placeInGit } from "../system/git-place.ts";
import { stateFolder } from "../system/state-folder.ts";

/**
 * Returns functions that read files of a platform repository. The functions read the objects in each folder, and the
 * objects in the Git repository, at most once.
 *
 * @param root folder of the platform repository
 */
export function repositoryFiles(root: string): RepositoryFiles {
  const folders = new Map<string, readonly Manifest[]>();
  let others: readonly OtherObject[] | null = null;
  return {
    exists: (path) => existsSync(join(root, path)),
    text: (path) => readIfExists(join(root, path)),
    objectsBelow: (folder) => {
      const objects = folders.get(folder) ?? objectsBelow(root, folder);
      folders.set(folder, objects);
      return objects;
    },
    place: placeInGit(root),
    otherObjects: () => {
      const top = gitRootOf(root);
      others ??= top === null ? [] : otherObjects(top, root);
      return others;
    },
  };
}

function objectsBelow(root: string, folder: string): Manifest[] {
  const top = join(root, folder);
  if (statSync(top, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const files = readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isYaml(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return files.flatMap((path) => parseManifests(relative(root, path), readFileSync(path, "utf8")).objects);
}

function isYaml(file: string): boolean {
  return /\.ya?ml$/.test(file);
}

/** Kinds of the objects that `otherObjects` returns. */
const kinds = ["Kustomization", "HelmRelease", "Namespace"];

/** Maximum size of a file in bytes. `otherObjects` skips larger files, because files with Flux objects are small. */
const largest = 1 << 20;

/** Names of folders that `otherObjects` skips everywhere in the Git repository. */
const skippedFolders: readonly string[] = [".git", "node_modules"];

/**
 * Names of the folders in a platform repository that contain the objects of its environments. `otherObjects` also skips
 * these folders.
 */
const ownFolders: readonly string[] = [overlaysFolder, basesFolder];

/**
 * Returns the objects in a Git repository that have one of the `kinds` and that meshops did not generate. The function
 * recognizes generated objects by their label. Older versions of meshops did not label all objects, so the function
 * also skips the folders `overlays` and `bases` of each platform repository. A Git repository can contain several
 * platform repositories. The function skips files and documents that cannot be parsed, for example templates.
 *
 * @param top root of the Git repository
 * @param root root of the platform repository
 */
function otherObjects(top: string, root: string): OtherObject[] {
  const found: OtherObject[] = [];
  const visit = (folder: string): void => {
    const entries = readdirSync(folder, { withFileTypes: true });
    const isPlatform = folder === root || entries.some((entry) => entry.isDirectory() && entry.name === stateFolder);
    const skipped = isPlatform ? [...skippedFolders, ...ownFolders] : skippedFolders;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.includes(entry.name)) visit(path);
      if (entry.isFile() && isYaml(entry.name) && statSync(path).size <= largest)
        found.push(...objectsIn(relative(top, path), readFileSync(path, "utf8")));
    }
  };
  visit(top);
  return found;
}

const mentionsKind = new RegExp(`kind["']?:\\s*["']?(?:${kinds.join("|")})\\b`);

function objectsIn(file: string, text: string): OtherObject[] {
  if (!mentionsKind.test(text)) return [];
  const { objects } = parseManifests(file, text);
  return objects
    .filter(({ apiVersion, kind, value }) => {
      const isOwn = isManaged(mapAt(value, "metadata", "labels"));
      // The object in a kustomization.yaml and the Kustomization of Flux have the same kind, but different API groups.
      return kinds.includes(kind) && !apiVersion.startsWith("kustomize.config.k8s.io/") && !isOwn;
    })
    .map(({ kind, name, namespace }) => ({ file, kind, name, namespace: namespace === "" ? null : namespace }));
}
