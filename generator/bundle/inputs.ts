import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { encryptedFiles } from "../identity/read-identity.ts";
import { basesFolder, certificateFiles, identityFolder, overlayFolder, signingKeysFile } from "../spec/layout.ts";
import { pathsWithin, readPathState } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { compareText } from "../system/text.ts";
import { version } from "../system/version.ts";
import { type Inventory, inventoryFile, parseInventory } from "./inventory.ts";
import type { Repository } from "./repository.ts";

/** Folder below bases/ that the overlay of every component with a chart includes. */
const sharedBase = "helm-release";

/**
 * Computes one hash per environment from the inputs of the environment. The inventory of the environment contains this
 * hash. `generate` does not render an environment if the hash and the generated files of this environment match the
 * inventory. Other commands do not use the hash.
 */
export class Inputs {
  readonly #repository: Repository;
  readonly #bases = new Map<string, string>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /**
   * Returns the hash of the files of one environment: its specs, certificates and encrypted files, and the files in
   * `others`. Call this method before the environment is rendered. If a file then changes while the environment is
   * rendered, the next run computes a different hash, and renders the environment again.
   *
   * @param specs spec files of the environment and of the environments that it extends
   * @param others paths of the files to which the environment's workloads refer
   * @returns null if a file cannot be read
   */
  ofEnvironment(environment: string, specs: readonly string[], others: readonly string[] = []): string | null {
    const { root, source } = this.#repository;
    const hash = createHash("sha256");
    try {
      for (const spec of specs) addPart(hash, spec, source(basename(spec, ".yaml"))?.text ?? null);
      for (const path of [...identityFiles(root, environment), ...others]) addPart(hash, path, textOf(join(root, path)));
    } catch {
      return null;
    }
    return hash.digest("hex");
  }

  /**
   * Returns the hash to store in the inventory. The hash depends on the files of the environment, the bases that the
   * overlays use, and the version of meshops. It also depends on the hashes of the generated files in the inventory. If
   * a user or a merge changes an inventory, this hash no longer matches, so meshops renders the environment again.
   *
   * @param own result of `ofEnvironment`
   * @param files generated files and their hashes
   */
  recorded(environment: string, own: string, files: Inventory["files"]): string {
    const hash = createHash("sha256");
    addPart(hash, "version", version);
    addPart(hash, "environment", own);
    for (const base of basesOf(environment, files.keys())) addPart(hash, base, this.#baseHash(base));
    for (const [path, hashes] of [...files].sort(([a], [b]) => compareText(a, b))) addPart(hash, path, hashes.join(" "));
    return hash.digest("hex");
  }

  /**
   * Returns the number of an environment's generated files if all inputs and all generated files match the inventory.
   * Otherwise, returns null, and the caller must render the environment.
   *
   * @param own result of `ofEnvironment`
   * @throws UserError if a path leads outside the repository
   */
  countIfUnchanged(environment: string, own: string): number | null {
    const within = pathsWithin(this.#repository.root);
    const inventory = readPathState(within(inventoryFile(environment)));
    if (inventory.kind !== "file") return null;
    const { inputs, files } = parseInventory(inventory.text, environment);
    if (inputs === null || inputs !== this.recorded(environment, own, files)) return null;
    for (const [path, hashes] of files) {
      const file = readPathState(within(path));
      if (file.kind !== "file" || hashes.length !== 1 || hashes[0] !== sha256(file.text)) return null;
    }
    return files.size;
  }

  #baseHash(base: string): string {
    const known = this.#bases.get(base);
    if (known !== undefined) return known;
    const folder = join(this.#repository.root, basesFolder, base);
    const hash = createHash("sha256");
    for (const file of filesBelow(folder)) addPart(hash, file, textOf(join(folder, file)));
    const digest = hash.digest("hex");
    this.#bases.set(base, digest);
    return digest;
  }
}

/**
 * Adds a name and a text to a hash. Also adds the lengths of the name and the text, so that different pairs cannot
 * result in the same hash.
 */
function addPart(hash: Hash, name: string, text: string | null): void {
  hash.update(`${name.length} ${name} ${text === null ? "none" : `${text.length} ${text}`}\n`);
}

function identityFiles(root: string, environment: string): string[] {
  const certificates = Object.values(certificateFiles).map((file) => `${identityFolder(environment)}/${file}`);
  return [...certificates, signingKeysFile(environment), ...encryptedFiles(root, environment).sort(compareText)];
}

/**
 * Folders below bases/ that an environment's overlays use. The base of a component has the same name as the component.
 */
export function basesOf(environment: string, files: Iterable<string>): string[] {
  const overlays = `${overlayFolder(environment)}/`;
  const components = [...files].flatMap((path) => {
    const [component = "", file] = path.startsWith(overlays) ? path.slice(overlays.length).split("/") : [];
    return file === undefined ? [] : [component];
  });
  return [...new Set([sharedBase, ...components])].sort(compareText);
}

function filesBelow(folder: string): string[] {
  try {
    const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return paths.map((path) => path.replaceAll("\\", "/")).sort(compareText);
  } catch {
    return [];
  }
}

/**
 * Text of a file; null if the path is not a regular file. Follows symbolic links, in the same way as the code that
 * reads certificates.
 */
function textOf(path: string): string | null {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : null;
}
