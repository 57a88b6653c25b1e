import { Inputs } from "../../bundle/inputs.ts";
import type { Inventory } from "../../bundle/inventory.ts";
import { makePlan, type Plan } from "../../bundle/plan.ts";
import type { Rendered } from "../../bundle/render.ts";
import type { Repository } from "../../bundle/repository.ts";
import { bundlesOf, type Wanted, wantedBundles } from "../../bundle/wanted-bundles.ts";
import { workloadFilePaths } from "../../bundle/workload-files.ts";
import type { Model } from "../../components/model.ts";
import { hasErrors } from "../../diagnostics/diagnostic.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { missingBases } from "../base-findings.ts";
import { scaffoldPlan } from "../init/tracked.ts";
import type { Io } from "../io.ts";
import { loadAll, printDiagnostics, selectConcrete } from "../load.ts";
import { renderAll, renderEnvironments } from "../render-environments.ts";
import { maxDetailed, withProgress } from "../terminal/progress.ts";

/** The fields of a plan that `generate` prints. */
export type PlanSummary = Pick<Plan, "owner" | "unchanged" | "changes">;

/** The plans of one run of `generate`, and other data that `generate` prints. */
export interface Prepared {
  readonly plans: readonly Plan[];
  /** Number of selected environments. */
  readonly environments: number;
  /**
   * Models of the environments. `generate` prints the components in these models. Empty if more than `maxDetailed`
   * environments are selected.
   */
  readonly models: readonly Model[];
  /** Environments that `generate` does not render, because their inputs and generated files match their inventories. */
  readonly passedOver: readonly PlanSummary[];
}

/**
 * Loads, validates and renders environments, and plans the changes of their files. Prints the findings. Returns null if
 * one of the findings is an error.
 */
export function prepare(io: Io, repository: Repository, names: readonly string[]): Prepared | null {
  const rendered = renderEnvironments(io, repository, names);
  if (rendered === null || lacksBases(io, repository, rendered)) return null;
  const bundles = wantedBundles(repository, bundlesOf(rendered), names.length === 0);
  const plans = withScaffold(repository, planAll(io, repository, bundles));
  const models = rendered.length > maxDetailed ? [] : rendered.map(({ model }) => model);
  return { plans, environments: rendered.length, models, passedOver: [] };
}

/**
 * Does the same as `prepare`, but for a run that writes files. There are two differences. First, the planned
 * inventories contain the hashes of the inputs. Second, if all environments are selected and more than `maxDetailed`
 * environments exist, the function renders an environment only if its inputs or files do not match its inventory. Even
 * then, the function loads and validates all selected specs.
 *
 * @param acceptScaffold whether to record edited bases, hooks and workflows as up to date
 */
export function prepareToWrite(
  io: Io,
  repository: Repository,
  names: readonly string[],
  acceptScaffold: boolean,
): Prepared | null {
  const { root } = repository;
  const inputs = new Inputs(repository);
  const { environments, own, diagnostics } = loadWithInputs(repository, inputs, names);
  const many = names.length === 0 && environments.length > maxDetailed;
  const passedOver = many && !hasErrors(diagnostics) ? findUnchanged(io, environments, inputs, own) : [];
  const unchanged = new Set(passedOver.map(({ owner }) => owner));
  const stale = environments.filter(({ metadata }) => !unchanged.has(metadata.name));
  const rendered = hasErrors(diagnostics) ? [] : renderAll(io, root, stale, diagnostics);
  printDiagnostics(io.stderr, diagnostics);
  if (hasErrors(diagnostics) || lacksBases(io, repository, rendered)) return null;
  // Inventories do not record the findings about identities and about the files of workloads. If an environment has
  // such findings, its inventory does not contain the hash of the inputs. Every run therefore renders the environment,
  // and reports these findings again.
  const withFindings = new Set(
    rendered.filter(({ findings }) => findings.length > 0).map(({ model }) => model.environment.metadata.name),
  );
  const inputsOf = (owner: string, files: Inventory["files"]): string | null => {
    const hash = withFindings.has(owner) ? null : (own.get(owner) ?? null);
    return hash === null ? null : inputs.recorded(owner, hash, files);
  };
  const bundles = wantedBundles(repository, bundlesOf(rendered), names.length === 0, { unchanged });
  const plans = withScaffold(repository, planAll(io, repository, bundles, inputsOf), acceptScaffold);
  const models = environments.length > maxDetailed ? [] : rendered.map(({ model }) => model);
  return { plans, environments: environments.length, models, passedOver };
}

/** Prints an error and returns true if a generated file includes a base that the repository does not contain. */
function lacksBases(io: Io, { root }: Repository, rendered: readonly Pick<Rendered, "model">[]): boolean {
  const missing = missingBases(
    root,
    rendered.map(({ model }) => model),
  );
  printDiagnostics(io.stderr, missing);
  return missing.length > 0;
}

/** Loads and validates environments, and computes the hash of each environment's inputs. */
function loadWithInputs(
  repository: Repository,
  inputs: Inputs,
  names: readonly string[],
): Pick<ReturnType<typeof loadAll>, "diagnostics"> & {
  readonly environments: readonly Environment[];
  readonly own: ReadonlyMap<string, string | null>;
} {
  const { loaded, diagnostics } = loadAll(repository, names);
  const environments = selectConcrete(loaded, names);
  const own = new Map(
    loaded.map(({ name, files, environment }) => [
      name,
      inputs.ofEnvironment(name, files, environment === null ? [] : workloadFilePaths(environment)),
    ]),
  );
  // Clear the cache of parsed specs, because the parsed specs of a thousand environments take 150 MB of memory.
  repository.forget();
  return { environments, own, diagnostics };
}

function findUnchanged(
  io: Io,
  environments: readonly Environment[],
  inputs: Inputs,
  own: ReadonlyMap<string, string | null>,
): PlanSummary[] {
  const unchanged: PlanSummary[] = [];
  for (const { metadata } of withProgress(io, "comparing", environments)) {
    const hash = own.get(metadata.name) ?? null;
    const files = hash === null ? null : inputs.countIfUnchanged(metadata.name, hash);
    if (files !== null) unchanged.push({ owner: metadata.name, unchanged: files, changes: [] });
  }
  return unchanged;
}

/** Returns the plans. If some bases, hooks or workflows are outdated, also returns a plan that updates these files. */
function withScaffold({ root }: Repository, plans: readonly Plan[], accept: boolean = false): Plan[] {
  const plan = scaffoldPlan(root, accept);
  return plan === null ? [...plans] : [...plans, plan];
}

function planAll(
  io: Io,
  { root }: Repository,
  wanted: readonly Wanted[],
  inputsOf?: (owner: string, files: Inventory["files"]) => string | null,
): Plan[] {
  const plans: Plan[] = [];
  for (const [owner, bundle] of withProgress(io, "comparing", wanted))
    plans.push(makePlan(root, owner, bundle, inputsOf && ((files) => inputsOf(owner, files))));
  return plans;
}
