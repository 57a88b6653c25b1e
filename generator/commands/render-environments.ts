import { type Bundle, toBundle } from "../bundle/bundle.ts";
import { emitRootHelmfile } from "../bundle/emit/helmfile.ts";
import { inventoryOwners, rootOwner } from "../bundle/inventory.ts";
import { type Rendered, render } from "../bundle/render.ts";
import type { Repository } from "../bundle/repository.ts";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import { readIdentity } from "../identity/read.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { isAbstract } from "../spec/load.ts";
import { concrete, loadAll, printDiagnostics } from "./context.ts";
import type { Io } from "./io.ts";
import { withProgress } from "./terminal/progress.ts";

/** Reads, checks and renders the named environments, or all; null if there were errors, which are printed. */
export function renderEnvironments(io: Io, repository: Repository, names: readonly string[]): Rendered[] | null {
  const { loaded, diagnostics } = loadAll(repository, names);
  const environments = concrete(loaded, names);
  const rendered = hasErrors(diagnostics) ? [] : renderAll(io, repository.root, environments, diagnostics);
  printDiagnostics(io.stderr, diagnostics);
  return hasErrors(diagnostics) ? null : rendered;
}

/** A rendered environment, and the findings about its identity. */
interface RenderedEnvironment extends Rendered {
  readonly findings: readonly Diagnostic[];
}

/** Renders environments, and adds the findings about their identities to the others. */
export function renderAll(
  io: Io,
  root: string,
  environments: readonly Environment[],
  diagnostics: Diagnostic[],
): RenderedEnvironment[] {
  const rendered: RenderedEnvironment[] = [];
  for (const environment of withProgress(io, "rendering", environments)) {
    const { identity, diagnostics: found } = readIdentity(root, environment);
    diagnostics.push(...found);
    if (identity !== null) rendered.push({ ...render({ environment, identity }), findings: found });
  }
  return rendered;
}

/** Bundles by environment. */
export function bundlesOf(rendered: readonly Rendered[]): Map<string, Bundle> {
  return new Map(rendered.map(({ model, bundle }) => [model.environment.metadata.name, bundle]));
}

/** An owner of files, and all that it should have: nothing where the environment is gone. */
export type Wanted = readonly [owner: string, bundle: Bundle];

/**
 * What should be on disk: the environments, the root's files, and (where all are meant) environments that are gone.
 *
 * @param current bundles by environment
 * @param options.others owners that have files besides those on disk
 * @param options.unchanged environments that are known to be as they should be, which need no bundle
 */
export function wantedBundles(
  repository: Repository,
  current: ReadonlyMap<string, Bundle>,
  all: boolean,
  { others = [], unchanged = new Set() }: { readonly others?: readonly string[]; readonly unchanged?: ReadonlySet<string> } = {},
): Wanted[] {
  const owners = new Set([...inventoryOwners(repository.root), ...others]);
  const before = [...owners].filter((owner) => owner !== rootOwner && !current.has(owner));
  const gone = before.filter((owner) => !unchanged.has(owner) && isGone(repository, owner));
  const kept = before.filter((owner) => !gone.includes(owner));
  const helmfile = toBundle([emitRootHelmfile([...current.keys(), ...kept])]);
  return [...current, ...(all ? gone : []).map((owner): Wanted => [owner, new Map()]), [rootOwner, helmfile]];
}

/** Whether an environment that was generated once has no spec any more, or has become abstract. */
function isGone(repository: Repository, name: string): boolean {
  const source = repository.source(name);
  return source === null || isAbstract(source);
}
