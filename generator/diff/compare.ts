import { kubeContextOf } from "../bundle/emit/names.ts";
import { inventoryFile, rootOwner } from "../bundle/inventory.ts";
import type { Repository } from "../bundle/repository.ts";
import type { Wanted } from "../bundle/wanted-bundles.ts";
import { environmentsFolder, isEncryptedFile } from "../spec/layout.ts";
import { resolveEnvironment } from "../spec/load.ts";
import { groupBy } from "../system/data.ts";
import { accessChanges } from "./access-changes.ts";
import { stepsAfterRename } from "./after-rename.ts";
import { inContext, oldContext } from "./cluster-context.ts";
import { type AssessedChange, diffObjects, type Sides } from "./diff.ts";
import type { GitTree } from "./git-tree.ts";
import { changedFiles, ownerOf, sidesOf, specsIn, staleOf } from "./owned-files.ts";
import { asRenamed, renameChange, renamedSince } from "./renamed.ts";
import { rootChanges } from "./root-change.ts";

/** Number of owners whose files meshops reads from Git at the same time. An owner is an environment or `rootOwner`. */
const chunk = 50;

/** Input of `compareWithCommit`. */
export interface Comparison {
  readonly repository: Pick<Repository, "root" | "source">;
  readonly commit: GitTree;
  /** Bundles that should exist on disk, from `wantedBundles`. */
  readonly wanted: readonly Wanted[];
  /** Whether the result contains removed environments. The result always contains renamed environments. */
  readonly withRemoved: boolean;
  /**
   * Returns the age identities that decrypt the encrypted files. Called at most once, and only if an encrypted file
   * differs.
   */
  identities(): Promise<readonly string[]>;
  /** Yields the items, and shows the progress to the user. */
  progress<T>(items: readonly T[]): Iterable<T>;
}

/**
 * Returns the objects that differ between a commit and the files that `generate` would write. The commands in the steps
 * name the context of the cluster in which they must run.
 */
export async function compareWithCommit(comparison: Comparison): Promise<AssessedChange[]> {
  const { repository, commit, wanted: all, withRemoved } = comparison;
  const { root } = repository;
  const removed = all.filter(([owner, bundle]) => owner !== rootOwner && bundle.size === 0).map(([owner]) => owner);
  const renames = renamedSince(root, commit, all, removed);
  const tree = renames.reduce(asRenamed, commit);
  const reported = withRemoved ? all : all.filter(([owner]) => !removed.includes(owner));
  const wanted = reported.filter(([owner]) => !renames.some(({ from }) => from === owner));
  const specsOf = specsReader(tree, repository);
  const changes = [
    ...(await Promise.all(
      renames.map(async (rename) => renameChange(root, rename, stepsAfterRename(root, (await specsOf(rename.to)).after, rename))),
    )),
    ...(await changesOfFiles(comparison, tree, wanted, specsOf)),
    ...(await changesOfRoots(root, tree, wanted, specsOf)),
  ];
  return withContexts(changes, specsOf);
}

/** Returns the spec of an environment in the commit, and its spec on disk. Resolves each spec only once. */
type SpecsReader = (owner: string) => Promise<Sides["specs"]>;

function specsReader(tree: GitTree, repository: Pick<Repository, "source">): SpecsReader {
  let committed: ReturnType<typeof specsIn> | null = null;
  const known = new Map<string, ReturnType<SpecsReader>>();
  const read: SpecsReader = async (owner) => {
    committed ??= specsIn(tree);
    const { source } = await committed;
    return { before: resolveEnvironment(owner, source).resolved, after: resolveEnvironment(owner, repository.source).resolved };
  };
  return (owner) => {
    const specs = known.get(owner) ?? read(owner);
    known.set(owner, specs);
    return specs;
  };
}

/** Returns the changes of the objects in generated files and of encrypted files, and the changes of access. */
async function changesOfFiles(
  comparison: Comparison,
  tree: GitTree,
  wanted: readonly Wanted[],
  specsOf: SpecsReader,
): Promise<AssessedChange[]> {
  const { root } = comparison.repository;
  const owned = [...tree.paths()].filter((path) => ownerOf(path) !== null);
  const committed = groupBy(owned, (path) => ownerOf(path) ?? "");
  const changes: AssessedChange[] = [];
  let identities: readonly string[] | null = null;
  for (let at = 0; at < wanted.length; at += chunk) {
    const stale = wanted
      .slice(at, at + chunk)
      .map(([owner, bundle]) => staleOf(root, owner, bundle, tree, committed.get(owner) ?? []));
    const differing = stale.filter(({ paths }) => paths.size > 0);
    const texts = await tree.read(differing.flatMap(({ owner, paths }) => [...paths, inventoryFile(owner)]));
    for (const { owner, paths, after } of comparison.progress(differing)) {
      const specs = await specsOf(owner);
      const sides = { ...sidesOf(owner, paths, after, texts, committed.get(owner) ?? []), specs };
      if ([...paths].some(isEncryptedFile)) identities ??= await comparison.identities();
      changes.push(...(await diffObjects(sides, identities ?? [])));
      if (specs.after !== null) changes.push(...accessChanges(specs.before, specs.after));
    }
  }
  return changes;
}

/**
 * Returns the changes of Flux's root Kustomizations. The generated files do not contain these Kustomizations. If a spec
 * specifies another root Kustomization, the generated files can stay the same. The function therefore compares the
 * specs.
 */
async function changesOfRoots(
  root: string,
  tree: GitTree,
  wanted: readonly Wanted[],
  specsOf: SpecsReader,
): Promise<AssessedChange[]> {
  if (changedFiles(root, tree, environmentsFolder).length === 0) return [];
  const environments = wanted.map(([owner]) => owner).filter((owner) => owner !== rootOwner);
  const specs = await Promise.all(environments.map(specsOf));
  return specs.flatMap(({ before, after }) => (before !== null && after !== null ? rootChanges(before, after) : []));
}

/** Adds the contexts of the environments' clusters to the commands in the steps of the changes. */
async function withContexts(changes: readonly AssessedChange[], specsOf: SpecsReader): Promise<AssessedChange[]> {
  const byEnvironment = [...groupBy(changes, ({ environment }) => environment)];
  const inContexts = byEnvironment.map(async ([environment, ofEnvironment]) => {
    const { after } = await specsOf(environment);
    const context = oldContext(ofEnvironment, environment) ?? (after === null ? null : kubeContextOf(after));
    return ofEnvironment.map((change) => inContext(change, context));
  });
  return (await Promise.all(inContexts)).flat();
}
