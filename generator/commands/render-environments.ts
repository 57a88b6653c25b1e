import { type Bundle, toBundle } from "../bundle/bundle.ts";
import { emitRootHelmfile } from "../bundle/emit/helmfile.ts";
import { inventoryOwners, rootOwner } from "../bundle/inventory.ts";
import { type Rendered, render } from "../bundle/render.ts";
import type { Repository } from "../bundle/repository.ts";
import { readWorkloadFiles } from "../bundle/workload-files.ts";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import { readIdentity } from "../identity/read.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { isAbstract } from "../spec/load.ts";
import { concrete, loadAll, printDiagnostics } from "./context.ts";
import type { Io } from "./io.ts";
import { withProgress } from "./terminal/progress.ts";

/**
 * Loads, validates and renders the environments with the given names, or all environments if no name is given. Prints
 * the findings to stderr. Returns null if one of the findings is an error.
 */
export function renderEnvironments(io: Io, repository: Repository, names: readonly string[]): Rendered[] | null {
  const { loaded, diagnostics } = loadAll(repository, names);
  const environments = concrete(loaded, names);
  const rendered = hasErrors(diagnostics) ? [] : renderAll(io, repository.root, environments, diagnostics);
  printDiagnostics(io.stderr, diagnostics);
  return hasErrors(diagnostics) ? null : rendered;
}

/** A rendered environment, with the findings about its identity and about the files to which its workloads refer. */
interface RenderedEnvironment extends Rendered {
  readonly findings: readonly Diagnostic[];
}

/**
 * Renders environments. Appends the findings about their identities, and about the files to which their workloads
 * refer, to `diagnostics`. Does not return environments with errors in these files.
 */
export function renderAll(
  io: Io,
  root: string,
  environments: readonly Environment[],
  diagnostics: Diagnostic[],
): RenderedEnvironment[] {
  const rendered: RenderedEnvironment[] = [];
  for (const environment of withProgress(io, "rendering", environments)) {
    const { identity, diagnostics: ofIdentity } = readIdentity(root, environment);
    const { diagnostics: ofWorkloads, ...files } = readWorkloadFiles(root, environment);
    const findings = [...ofIdentity, ...ofWorkloads];
    diagnostics.push(...findings);
    if (identity !== null && !hasErrors(ofWorkloads)) rendered.push({ ...render({ environment, identity, ...files }), findings });
  }
  return rendered;
}

/** Returns the bundle (generated files) of each environment, by the environment's name. */
export function bundlesOf(rendered: readonly Rendered[]): Map<string, Bundle> {
  return new Map(rendered.map(({ model, bundle }) => [model.environment.metadata.name, bundle]));
}

/**
 * An owner of generated files, and the files of this owner that should exist on disk. The owner is the name of an
 * environment, or `rootOwner` for the root helmfile.yaml. If the environment was removed, the bundle is empty.
 */
export type Wanted = readonly [owner: string, bundle: Bundle];

/**
 * Returns the bundles that should exist on disk: one bundle per environment, one bundle with the root helmfile.yaml,
 * and an empty bundle for each removed environment.
 *
 * @param current bundles of the rendered environments, by name
 * @param all whether the result contains removed environments
 * @param options.others owners of generated files that may have no inventory on disk
 * @param options.unchanged environments that were not rendered, because their files are up to date. The result does not
 * contain their bundles
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

/** Returns whether an environment for which meshops generated files no longer has a spec, or has an abstract spec. */
function isRemoved(repository: Repository, name: string): boolean {
  const source = repository.source(name);
  return source === null || isAbstract(source);
}
