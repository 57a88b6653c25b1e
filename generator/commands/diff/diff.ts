import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { contextOf } from "../../bundle/emit/names.ts";
import { inventoryFile, parseInventory, rootOwner } from "../../bundle/inventory.ts";
import type { Repository } from "../../bundle/repository.ts";
import { isAtLeast, type Risk } from "../../components/risk-levels.ts";
import { accessChanges } from "../../diff/access-changes.ts";
import { diffObjects, type ObjectChange, type Sides } from "../../diff/diff.ts";
import { GitTree } from "../../diff/git-tree.ts";
import { rootChanges } from "../../diff/root-change.ts";
import { identitiesAtHand } from "../../identity/age-keys.ts";
import { encryptedFiles } from "../../identity/read.ts";
import { loadEnvironment } from "../../lint/load.ts";
import {
  basesFolder,
  environmentsFolder,
  fluxRootFolder,
  helmfileFile,
  isEncryptedFile,
  overlayFolder,
  overlaysFolder,
  signingKeysFile,
  specFile,
} from "../../spec/layout.ts";
import { resolveEnvironment } from "../../spec/load.ts";
import { isEnvironmentName } from "../../spec/name.ts";
import { parseSource } from "../../spec/parse.ts";
import { groupBy } from "../../system/data.ts";
import { exitCode } from "../../system/errors.ts";
import { readIfThere } from "../../system/files.ts";
import { stateFolder } from "../../system/state-folder.ts";
import { compareText, folderOf } from "../../system/text.ts";
import { stepsAfterRename } from "../after-rename.ts";
import { repositoryIn } from "../context.ts";
import type { Io } from "../io.ts";
import { bundlesOf, renderEnvironments, type Wanted, wantedBundles } from "../render-environments.ts";
import { withProgress } from "../terminal/progress.ts";
import { inContext } from "./cluster-context.ts";
import { asRenamed, renameChange, renamedSince } from "./renamed.ts";
import { diffJson, diffMarkdown, diffText, summary, worst } from "./report.ts";

interface DiffOptions {
  readonly directory: string;
  readonly output: "text" | "json" | "markdown";
  /** Commit whose files are compared with the files that `generate` would write. */
  readonly from: string;
  /** Exit 1 only if a change has at least this risk. */
  readonly failOn?: Risk;
  /** Show the changes of bases, hooks and workflows instead of the changed objects. */
  readonly scaffold: boolean;
}

/**
 * `meshops diff [env…]`: compares a commit with the files that `generate` would write. Prints the objects that differ,
 * and the risk of each change.
 */
export async function diff(names: readonly string[], options: DiffOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  if (options.scaffold) {
    const { scaffoldPatch } = await import("./scaffold.ts");
    const patch = scaffoldPatch(repository.root);
    io.stdout.write(patch);
    return patch === "" ? exitCode.ok : exitCode.problem;
  }
  const rendered = renderEnvironments(io, repository, names);
  if (rendered === null) return exitCode.problem;
  const folders = [environmentsFolder, overlaysFolder, fluxRootFolder, helmfileFile, stateFolder, basesFolder];
  const tree = await GitTree.open(repository.root, options.from, folders);
  const all = wantedBundles(repository, bundlesOf(rendered), true, { others: ownersIn(tree) });
  const contexts = new Map(rendered.map(({ model: { environment } }) => [environment.metadata.name, contextOf(environment)]));
  const found = await compare(io, repository, tree, all, names.length === 0);
  const changes = found.map((change) =>
    inContext(change, oldContext(found, change.environment) ?? contexts.get(change.environment) ?? null),
  );
  if (options.output === "json") io.stdout.write(diffJson(changes));
  else if (options.output === "markdown") io.stdout.write(diffMarkdown(changes, options.from));
  else {
    io.stdout.write(diffText(changes, io.stdout.colors));
    // List changed files in bases/, because `meshops diff` does not assess the risk of changes to these files.
    const bases = changedFiles(repository.root, tree, basesFolder);
    if (bases.length > 0) io.stdout.write(`${changes.length === 0 ? "" : "\n"}not assessed: ${bases.join(", ")}\n`);
    io.stdout.write(`${changes.length === 0 ? "" : "\n"}${summary(changes)} (compared with ${options.from})\n`);
  }
  const failed =
    options.failOn === undefined ? changes.length > 0 : changes.length > 0 && isAtLeast(worst(changes), options.failOn);
  return failed ? exitCode.problem : exitCode.ok;
}

/**
 * Returns the kubectl context of the environment in the commit, if the context changes, for example because the cluster
 * was renamed. The commands in the steps need this old context, because they change objects in the old cluster. Returns
 * null if the context does not change.
 */
function oldContext(changes: readonly ObjectChange[], environment: string): string | null {
  const helmfile = changes.find((change) => change.kind === "Helmfile" && change.environment === environment);
  const before = helmfile?.fields.find(({ path }) => path === "helmDefaults.kubeContext")?.before;
  return typeof before === "string" ? before : null;
}

/** Returns the paths of the files in a folder of the repository that were changed, added or removed since a commit. */
function changedFiles(root: string, tree: GitTree, name: string): string[] {
  const folder = join(root, name);
  const onDisk = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    : [];
  const inCommit = [...tree.paths()].filter((path) => path.startsWith(`${name}/`));
  return [...new Set([...onDisk, ...inCommit])].sort(compareText).filter((path) => {
    const text = readIfThere(join(root, path));
    return text === null || !tree.holds(path, text);
  });
}

/** Returns the names of the environments whose inventory is in a commit. */
function ownersIn(tree: GitTree): string[] {
  return [...tree.paths()].flatMap((path) => {
    const owner = new RegExp(`^${stateFolder}/([^/]+)\\.json$`).exec(path)?.[1] ?? "";
    return isEnvironmentName(owner) ? [owner] : [];
  });
}

/** Number of owners whose files are read from Git at the same time. An owner is an environment or `rootOwner`. */
const chunk = 50;

/**
 * Returns the objects that differ between a commit and the files that `generate` would write.
 *
 * @param all bundles that should exist on disk
 * @param withRemoved whether the result contains removed environments. The result always contains renamed environments
 */
async function compare(
  io: Io,
  repository: Repository,
  commit: GitTree,
  all: readonly Wanted[],
  withRemoved: boolean,
): Promise<ObjectChange[]> {
  const { root } = repository;
  const removed = all.filter(([owner, bundle]) => owner !== rootOwner && bundle.size === 0).map(([owner]) => owner);
  const renames = renamedSince(root, commit, all, removed);
  const tree = renames.reduce(asRenamed, commit);
  const reported = withRemoved ? all : all.filter(([owner]) => !removed.includes(owner));
  const wanted = reported.filter(([owner]) => !renames.some(({ from }) => from === owner));
  const owned = [...tree.paths()].filter((path) => ownerOf(path) !== null);
  const committed = groupBy(owned, (path) => ownerOf(path) ?? "");
  const changes: ObjectChange[] = renames.map((rename) =>
    renameChange(root, rename, stepsAfterRename(root, loadEnvironment(rename.to, repository.source).environment, rename)),
  );
  let identities: string[] | null = null;
  let committedSpecs: Pick<Repository, "source"> | null = null;
  const specsOf = async (owner: string): Promise<Sides["specs"]> => {
    committedSpecs ??= await specsIn(tree);
    const [before, after] = [committedSpecs, repository].map(({ source }) => resolveEnvironment(owner, source).resolved);
    return { before: before ?? null, after: after ?? null };
  };
  for (let at = 0; at < wanted.length; at += chunk) {
    const stale = wanted
      .slice(at, at + chunk)
      .map(([owner, bundle]) => staleOf(root, owner, bundle, tree, committed.get(owner) ?? []));
    const differing = stale.filter(({ paths }) => paths.size > 0);
    const texts = await tree.read(differing.flatMap(({ owner, paths }) => [...paths, inventoryFile(owner)]));
    for (const { owner, paths, after } of withProgress(io, "comparing", differing)) {
      const specs = await specsOf(owner);
      const sides = { ...sidesOf(owner, paths, after, texts, committed.get(owner) ?? []), specs };
      if ([...paths].some(isEncryptedFile))
        identities ??= identitiesAtHand(io.env, (message) =>
          io.stderr.write(`${message}; meshops therefore does not decrypt encrypted files\n`),
        );
      changes.push(...(await diffObjects(sides, identities ?? [])));
      if (specs.after !== null) changes.push(...accessChanges(specs.before, specs.after));
    }
  }
  // The generated files do not contain Flux's root Kustomization. A spec can specify another root Kustomization,
  // although no generated file of the environment changes. Therefore, compare the specs.
  if (changedFiles(root, tree, environmentsFolder).length > 0)
    for (const [owner] of wanted.filter(([each]) => each !== rootOwner)) {
      const { before, after } = await specsOf(owner);
      if (before !== null && after !== null) changes.push(...rootChanges(before, after));
    }
  return changes;
}

/** Returns a source of specs that contains the specs in a commit. */
async function specsIn(tree: GitTree): Promise<Pick<Repository, "source">> {
  const texts = await tree.read([...tree.paths()].filter((path) => path.startsWith(`${environmentsFolder}/`)));
  return {
    source: (name) => {
      const text = texts.get(specFile(name));
      return text === undefined ? null : parseSource(specFile(name), text);
    },
  };
}

interface StaleFile {
  readonly owner: string;
  /** Paths of the files that differ from the commit, and of all other files of the owner in the same folders. */
  readonly paths: ReadonlySet<string>;
  readonly after: ReadonlyMap<string, string>;
}

/**
 * Returns the files of an owner that differ from the commit. The function compares Git hashes. Therefore, it does not
 * read the content of files from Git.
 */
function staleOf(root: string, owner: string, bundle: Wanted[1], tree: GitTree, committed: readonly string[]): StaleFile {
  const secrets = owner === rootOwner ? [] : secretsOf(root, owner);
  const after = new Map([...bundle, ...secrets]);
  const stale = [...after].filter(([path, text]) => !tree.holds(path, text)).map(([path]) => path);
  const folders = new Set([...stale, ...committed.filter((path) => !after.has(path))].map(folderOf));
  const inFolders = [...after.keys(), ...committed].filter((path) => folders.has(folderOf(path)));
  return { owner, paths: new Set(inFolders), after };
}

function secretsOf(root: string, environment: string): [string, string][] {
  return [...encryptedFiles(root, environment), signingKeysFile(environment)].flatMap((path): [string, string][] => {
    const text = readIfThere(join(root, path));
    return text === null ? [] : [[path, text]];
  });
}

/**
 * Returns the files of an owner in the commit (`before`), and the files that `generate` would write (`after`). `before`
 * contains the encrypted files in the commit, and the files that the owner's inventory in the commit lists. If this
 * inventory is missing or damaged, `before` contains the files in the overlay and at the paths of the new files.
 */
function sidesOf(
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
function ownerOf(path: string): string | null {
  if (path === helmfileFile) return rootOwner;
  const [top, name = ""] = path.split("/");
  return top === overlaysFolder || top === fluxRootFolder || path === signingKeysFile(name) ? name : null;
}
