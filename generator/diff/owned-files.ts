import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { inventoryFile, parseInventory, rootOwner } from "../bundle/inventory.ts";
import type { Repository } from "../bundle/repository.ts";
import type { Wanted } from "../bundle/wanted-bundles.ts";
import { encryptedFiles } from "../identity/read-identity.ts";
import {
  environmentsFolder,
  fluxRootFolder,
  helmfileFile,
  isEncryptedFile,
  overlayFolder,
  overlaysFolder,
  signingKeysFile,
  specFile,
} from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { parseSource } from "../spec/parse.ts";
import { readIfExists } from "../system/files.ts";
import { stateFolder } from "../system/state-folder.ts";
import { compareText, folderOf } from "../system/text.ts";
import type { Sides } from "./diff.ts";
import type { GitTree } from "./git-tree.ts";

/** Returns the paths of the files in a folder of the repository that were changed, added or removed since a commit. */
export function changedFiles(root: string, tree: GitTree, name: string): string[] {
  const folder = join(root, name);
  const onDisk = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    : [];
  const inCommit = [...tree.paths()].filter((path) => path.startsWith(`${name}/`));
  return [...new Set([...onDisk, ...inCommit])].sort(compareText).filter((path) => {
    const text = readIfExists(join(root, path));
    return text === null || !tree.holds(path, text);
  });
}

/** Returns the names of the environments whose inventory is in a commit. */
export function ownersIn(tree: GitTree): string[] {
  return [...tree.paths()].flatMap((path) => {
    const owner = new RegExp(`^${stateFolder}/([^/]+)\\.json$`).exec(path)?.[1] ?? "";
    return isEnvironmentName(owner) ? [owner] : [];
  });
}

/** Returns an object with the function `source`, which parses the specs in a commit. */
export async function specsIn(tree: GitTree): Promise<Pick<Repository, "source">> {
  const texts = await tree.read([...tree.paths()].filter((path) => path.startsWith(`${environmentsFolder}/`)));
  return {
    source: (name) => {
      const text = texts.get(specFile(name));
      return text === undefined ? null : parseSource(specFile(name), text);
    },
  };
}

export interface StaleFile {
  readonly owner: string;
  /** Paths of the files that differ from the commit, and of all other files that the owner has in the same folders. */
  readonly paths: ReadonlySet<string>;
  readonly after: ReadonlyMap<string, string>;
}

/**
 * Returns the files of an owner that differ from the commit. The function compares Git hashes, so it does not read the
 * content of files from Git.
 */
export function staleOf(root: string, owner: string, bundle: Wanted[1], tree: GitTree, committed: readonly string[]): StaleFile {
  const secrets = owner === rootOwner ? [] : secretsOf(root, owner);
  const after = new Map([...bundle, ...secrets]);
  const stale = [...after].filter(([path, text]) => !tree.holds(path, text)).map(([path]) => path);
  const folders = new Set([...stale, ...committed.filter((path) => !after.has(path))].map(folderOf));
  const inFolders = [...after.keys(), ...committed].filter((path) => folders.has(folderOf(path)));
  return { owner, paths: new Set(inFolders), after };
}

function secretsOf(root: string, environment: string): [string, string][] {
  return [...encryptedFiles(root, environment), signingKeysFile(environment)].flatMap((path): [string, string][] => {
    const text = readIfExists(join(root, path));
    return text === null ? [] : [[path, text]];
  });
}

/**
 * Returns the files of an owner in the commit (`before`), and the files that `generate` would write (`after`). `before`
 * contains the encrypted files in the commit, and the files that the owner's inventory in the commit lists. If this
 * inventory is missing or damaged, `before` contains the files in the overlay and at the paths of the new files.
 */
export function sidesOf(
  owner: string,
  paths: ReadonlySet<string>,
  after: StaleFile["after"],
  texts: ReadonlyMap<string, string>,
  committed: readonly string[],
): Omit<Sides, "specs"> {
  const named = parseInventory(texts.get(inventoryFile(owner)) ?? "", owner).files;
  const isOwned = (path: string): boolean =>
    isEncryptedFile(path) || (named.size > 0 ? named.has(path) : after.has(path) || path.startsWith(`${overlayFolder(owner)}/`));
  const pick = (from: ReadonlyMap<string, string>, wanted: (path: string) => boolean): Map<string, string> =>
    new Map(
      [...paths].filter(wanted).flatMap((path): [string, string][] => {
        const text = from.get(path);
        return text === undefined ? [] : [[path, text]];
      }),
    );
  return {
    environment: owner === rootOwner ? "" : owner,
    isNew: !committed.some((path) => !isEncryptedFile(path)),
    isRemoved: owner !== rootOwner && [...after.keys()].every(isEncryptedFile),
    before: pick(texts, isOwned),
    after: pick(after, () => true),
  };
}

/**
 * Returns the owner of a file in the commit. The owner of files below overlays/ and flux/ and of signing keys is their
 * environment. The owner of helmfile.yaml is `rootOwner`. Returns null for all other files.
 */
export function ownerOf(path: string): string | null {
  if (path === helmfileFile) return rootOwner;
  const [top, name = ""] = path.split("/");
  return top === overlaysFolder || top === fluxRootFolder || path === signingKeysFile(name) ? name : null;
}
