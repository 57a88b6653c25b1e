import { type Bundle, toBundle } from "../emit/bundle.ts";
import { emitRootHelmfile } from "../emit/helmfile.ts";
import { type Rendered, render } from "../render.ts";
import { type Diagnostic, hasErrors } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { loadEnvironment } from "../spec/load.ts";
import { exitCode, UserError } from "../user-error.ts";
import { applyPlan } from "../workspace/apply.ts";
import { readIdentity } from "../workspace/identity-files.ts";
import { withLock } from "../workspace/lock.ts";
import { manifestFolder, manifestOwners, rootOwner } from "../workspace/manifest.ts";
import { hasDrift, makePlan, type Plan } from "../workspace/plan.ts";
import { Repository } from "../workspace/repository.ts";
import { type CommonOptions, concrete, loadAll, printDiagnostics } from "./context.ts";
import { printDrift, printPlans, withProgress } from "./generate-report.ts";

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
  const { loaded, diagnostics } = loadAll(repository, names);
  const base = loaded.find(({ name, abstract }) => abstract && names.includes(name));
  if (base !== undefined)
    throw new UserError(
      exitCode.usage,
      `${base.name} is abstract: nothing is generated for it`,
      "name an environment that extends it",
    );
  const rendered = hasErrors(diagnostics) ? [] : renderAll(repository.root, concrete(loaded), diagnostics);
  if (diagnostics.length > 0) printDiagnostics(diagnostics, "text");
  if (hasErrors(diagnostics)) return exitCode.problem;
  if (options.stdout) {
    for (const { bundle } of rendered) process.stdout.write(stream(bundle));
    return exitCode.ok;
  }
  const plans = (): Promise<Plan[]> => planAll(repository, rendered, names.length === 0);
  if (options.check) return printDrift(await plans(), options);
  return withLock(`${repository.root}/${manifestFolder}/lock`, async () => {
    const planned = await plans();
    refuseConflicts(planned, options.force);
    for (const plan of withProgress("writing", planned.filter(hasDrift))) await applyPlan(repository.root, plan);
    printPlans(planned, rendered, options);
    return exitCode.ok;
  });
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
  const owners = await manifestOwners(root);
  const before = owners.filter((owner) => owner !== rootOwner && !current.has(owner));
  const gone = before.filter((owner) => isGone(repository, owner));
  const kept = all ? [] : before.filter((owner) => !gone.includes(owner));
  const helmfile = toBundle([emitRootHelmfile([...current.keys(), ...kept])]);
  const wanted: [owner: string, bundle: Bundle][] = [
    ...current,
    ...(all ? gone : []).map((owner) => [owner, new Map()] as [string, Bundle]),
    [rootOwner, helmfile],
  ];
  const plans: Plan[] = [];
  for (const [owner, bundle] of withProgress("comparing", wanted)) plans.push(await makePlan(root, owner, bundle));
  return plans;
}

/** Whether an environment that was generated once has no spec any more, or has become abstract. */
function isGone(repository: Repository, name: string): boolean {
  return repository.source(name) === null || loadEnvironment(name, repository.source).abstract;
}

function refuseConflicts(plans: readonly Plan[], force: boolean): void {
  const conflicts = plans.flatMap(({ changes }) => changes.filter(({ action }) => action === "conflict").map(({ path }) => path));
  if (conflicts.length === 0 || force) return;
  throw new UserError(
    exitCode.problem,
    `not written, since meshops did not write what stands there now:\n  ${conflicts.join("\n  ")}`,
    "move the files away, or overwrite them with --force",
  );
}

/** The bundle as one YAML stream; every file's documents come under its path. */
function stream(bundle: Bundle): string {
  return [...bundle].map(([path, text]) => `---\n# Source: ${path}\n${text}`).join("");
}
