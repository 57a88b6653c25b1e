import { isAbstract } from "../spec/load.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { emitRootHelmfile } from "./emit/helmfile.ts";
import { inventoryOwners, rootOwner } from "./inventory.ts";
import type { Rendered } from "./render.ts";
import type { Repository } from "./repository.ts";

/** Returns a map from the name of each environment to the bundle (the generated files) of this environment. */
export function bundlesOf(rendered: readonly Rendered[]): Map<string, Bundle> {
  return new Map(rendered.map(({ model, bundle }) => [model.environment.metadata.name, bundle]));
}

/**
 * An owner of generated files, and the files of this owner that should exist on disk. The owner is the name of an
 * environment, or `rootOwner` for the root helmfile.yaml. If the environment was removed, the bundle is empty.
 */
export type Wanted = readonly [owner: string, bundle: Bundle];

/**
 * Returns the bundles that should exist on disk: one bundle per rendered environment, and one bundle with the root
 * helmfile.yaml. If `all` is true, the result also contains an empty bundle for each removed environment.
 *
 * @param current bundles of the rendered environments, by name
 * @param all whether the result contains a bundle for each removed environment
 * @param options.others owners of generated files that may have no inventory on disk
 * @param options.unchanged environments that were not rendered, because their files are up to date. The result does not
 * contain the bundles of these environments
 */
export function wantedBundles(
  repository: Repository,
  current: ReadonlyMap<string, Bundle>,
  all: boolean,
  { others = [], unchanged = new Set() }: { readonly others?: readonly string[]; readonly unchanged?: ReadonlySet<string> } = {},
): Wanted[] {
  const owners = new Set([...inventoryOwners(repository.root), ...others]);
  const before = [...owners].filter((owner) => owner !== rootOwner && !current.has(owner));
  const removed = before.filter((owner) => !unchanged.has(owner) && isRemoved(repository, owner));
  const kept = before.filter((owner) => !removed.includes(owner));
  const helmfile = toBundle([emitRootHelmfile([...current.keys(), ...kept])]);
  return [...current, ...(all ? removed : []).map((owner): Wanted => [owner, new Map()]), [rootOwner, helmfile]];
}

/** Whether an environment was removed: its spec no longer exists, or the spec is abstract. */
function isRemoved(repository: Repository, name: string): boolean {
  const source = repository.source(name);
  return source === null || isAbstract(source);
}
