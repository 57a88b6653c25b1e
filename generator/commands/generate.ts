import { type Bundle, toBundle } from "../emit/bundle.ts";
import { emitRootHelmfile } from "../emit/helmfile.ts";
import { type Rendered, render } from "../render.ts";
import { type Diagnostic, hasErrors } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { isAbstract } from "../spec/load.ts";
import { exitCode } from "../user-error.ts";
import { applyPlan } from "../workspace/apply.ts";
import { readIdentity } from "../workspace/identity-files.ts";
import { finishChanges } from "../workspace/journal.ts";
import { withLock } from "../workspace/lock.ts";
import { manifestOwners, rootOwner } from "../workspace/manifest.ts";
import { hasDrift, makePlan, type Plan } from "../workspace/plan.ts";
import { Repository } from "../workspace/repository.ts";
import { type CommonOptions, concrete, loadAll, printDiagnostics } from "./context.ts";
import { printDrift, printPlans, refuseConflicts, withProgress } from "./generate-report.ts";

export interface GenerateOptions extends CommonOptions {
  /** Write nothing; exit 1 where the bundle on disk is not what the specs say. */
  readonly check: boolean;
  /** Write nothing; print the bundle as one YAML stream. */
  readonly stdout: boolean;
  /** Overwrite files that meshops did not write. */
  readonly force: boolean;
}

/** `meshops generate [env…]`: writes the bundle of the named environments, or of all. */
export async function generate(names: readonly string[], options: GenerateOptions): Promise<number> {
  const repository = new Repository(options.directory);
  const { root } = repository;
  if (options.check || options.stdout) return read(repository, names, options);
  // The specs are read under the lock: what waited for it must not write what they said before.
  return withLock(root, async () => {
    if (await finishChanges(root)) process.stderr.write("finished what an interrupted run had begun with an identity\n");
    const prepared = await prepare(repository, names);
    if (prepared === null) return exitCode.problem;
    const { rendered, plans } = prepared;
    refuseConflicts(plans, options.force);
    for (const plan of withProgress("writing", plans.filter(hasDrift))) await applyPlan(root, plan);
    printPlans(plans, rendered, options);
    return exitCode.ok;
  });
}

/** `--check` and `--stdout`: nothing is written, so no lock is needed. */
async function read(repository: Repository, names: readonly string[], options: GenerateOptions): Promise<number> {
  const prepared = await prepare(repository, names);
  if (prepared === null) return exitCode.problem;
  if (options.check) return printDrift(prepared.plans, options);
  for (const { bundle } of prepared.plans) process.stdout.write(stream(bundle));
  return exitCode.ok;
}

interface Prepared {
  readonly rendered: readonly Rendered[];
  readonly plans: readonly Plan[];
}

/** Reads, checks and renders; null where there were errors, which are told. */
async function prepare(repository: Repository, names: readonly string[]): Promise<Prepared | null> {
  const { loaded, diagnostics } = loadAll(repository, names);
  const environments = concrete(loaded, names);
  const rendered = hasErrors(diagnostics) ? [] : renderAll(repository.root, environments, diagnostics);
  printDiagnostics(diagnostics);
  if (hasErrors(diagnostics)) return null;
  return { rendered, plans: await planAll(repository, rendered, names.length === 0) };
}

function renderAll(root: string, environments: readonly Environment[], diagnostics: Diagnostic[]): Rendered[] {
  const rendered: Rendered[] = [];
  for (const environment of withProgress("rendering", environments)) {
    const { identity, diagnostics: found } = readIdentity(root, environment);
    diagnostics.push(...found);
    if (identity !== null) rendered.push(render({ environment, identity }));
  }
  return rendered;
}

/** Plans for the environments, for the root's files, and (when all are generated) for environments that are gone. */
async function planAll(repository: Repository, rendered: readonly Rendered[], all: boolean): Promise<Plan[]> {
  const { root } = repository;
  const current = new Map(rendered.map(({ model, bundle }) => [model.environment.metadata.name, bundle]));
  const before = (await manifestOwners(root)).filter((owner) => owner !== rootOwner && !current.has(owner));
  const gone = before.filter((owner) => isGone(repository, owner));
  const kept = all ? [] : before.filter((owner) => !gone.includes(owner));
  const helmfile = toBundle([emitRootHelmfile([...current.keys(), ...kept])]);
  const removed = (all ? gone : []).map((owner): [string, Bundle] => [owner, new Map()]);
  const wanted: [owner: string, bundle: Bundle][] = [...current, ...removed, [rootOwner, helmfile]];
  const plans: Plan[] = [];
  for (const [owner, bundle] of withProgress("comparing", wanted)) plans.push(await makePlan(root, owner, bundle));
  return plans;
}

/** Whether an environment that was generated once has no spec any more, or has become abstract. */
function isGone(repository: Repository, name: string): boolean {
  const source = repository.source(name);
  return source === null || isAbstract(source);
}

/** The bundle as one YAML stream; every file's documents come under its path. */
function stream(bundle: Bundle): string {
  return [...bundle].map(([path, text]) => `---\n# Source: ${path}\n${text}`).join("");
}
