import type { Bundle } from "../../bundle/bundle.ts";
import { rootOwner } from "../../bundle/inventory.ts";
import { makePlan, type Plan } from "../../bundle/plan.ts";
import type { Repository } from "../../bundle/repository.ts";
import { type KnownFinding, Unchanged } from "../../bundle/unchanged.ts";
import type { Model } from "../../components/model.ts";
import { type Diagnostic, distinct, hasErrors } from "../../diagnostics/diagnostic.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { helmfileFile } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { concrete, loadAll, printDiagnostics } from "../context.ts";
import type { Io } from "../io.ts";
import { bundlesOf, renderAll, renderEnvironments, wantedBundles } from "../render-environments.ts";
import { described, withProgress } from "../terminal/progress.ts";

/** What `generate` is to do. */
export interface Prepared {
  readonly plans: readonly Plan[];
  /** Number of environments that are meant. */
  readonly environments: number;
  /** What they are made of; empty where they are too many to be described. */
  readonly models: readonly Model[];
  /** Files of environments that were not looked into, since nothing of them has changed. */
  readonly passedOver: number;
  /** To be called when the plans are carried out: what is as it should be now is passed over next time. */
  readonly remember: () => void;
}

/** Reads, checks, renders and compares with the disk; null where there were errors, which are told. */
export function prepare(io: Io, repository: Repository, names: readonly string[]): Prepared | null {
  const rendered = renderEnvironments(io, repository, names);
  if (rendered === null) return null;
  const plans = planAll(io, repository, bundlesOf(rendered), names.length === 0);
  const models = rendered.length > described ? [] : rendered.map(({ model }) => model);
  return { plans, environments: rendered.length, models, passedOver: 0, remember: () => undefined };
}

/** `prepare` for all environments. Where they are many, those of which nothing has changed since the last run are passed over. */
export function prepareChanged(io: Io, repository: Repository): Prepared | null {
  const names = repository.environmentNames();
  if (names.length <= described) return prepare(io, repository, []);
  const memory = new Unchanged(repository.root);
  const known = new Map(names.map((name) => [name, memory.recall(name)]));
  const root = memory.recall(rootOwner);
  const findings = [...known.values()];
  if (root !== null && findings.every((finding) => finding !== null)) {
    printDiagnostics(io, distinct([root, ...findings].flatMap((finding) => finding.diagnostics)));
    return { plans: [], ...total([root, ...findings]), models: [], remember: () => undefined };
  }
  const stale = loadStale(io, repository, (name) => known.get(name) === null);
  if (stale === null) return null;
  const plans = planAll(io, repository, stale.bundles, true);
  const { environments, passedOver } = total(findings);
  const remember = (): void => noteAll(memory, stale, plans);
  return { plans, environments: environments + stale.bundles.size, models: [], passedOver, remember };
}

/** Environments that were looked into. */
interface StaleEnvironments {
  readonly loaded: readonly Pick<Loaded, "name" | "files" | "diagnostics">[];
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** What is wrong with all environments together. */
  readonly joint: readonly Diagnostic[];
}

/** Loads all specs, since rules hold between them, and renders those that are stale; null where there were errors, which are told. */
function loadStale(io: Io, repository: Repository, isStale: (name: string) => boolean): StaleEnvironments | null {
  const { environments, loaded, joint, diagnostics } = loadLean(repository, isStale);
  const rendered = hasErrors(diagnostics) ? [] : renderAll(io, repository.root, environments, diagnostics);
  printDiagnostics(io, diagnostics);
  return hasErrors(diagnostics) ? null : { loaded, bundles: bundlesOf(rendered), joint };
}

/** What is needed of the specs from here on. What they were parsed into is let go: of a thousand it takes 150 MB. */
function loadLean(
  repository: Repository,
  isStale: (name: string) => boolean,
): Pick<StaleEnvironments, "loaded" | "joint"> & { environments: Environment[]; diagnostics: Diagnostic[] } {
  const { loaded, diagnostics, joint } = loadAll(repository, []);
  const environments = concrete(loaded, []).filter(({ metadata }) => isStale(metadata.name));
  const lean = loaded
    .filter(({ name }) => isStale(name))
    .map(({ name, files, diagnostics: own }) => ({ name, files, diagnostics: own }));
  repository.forget();
  return { environments, loaded: lean, joint, diagnostics };
}

function planAll(io: Io, repository: Repository, bundles: ReadonlyMap<string, Bundle>, all: boolean): Plan[] {
  const plans: Plan[] = [];
  for (const [owner, bundle] of withProgress(io, "comparing", wantedBundles(repository, bundles, all)))
    plans.push(makePlan(repository.root, owner, bundle));
  return plans;
}

/** Environments that were passed over, and their files. An abstract spec has none, so it is no environment; the root has one. */
function total(findings: readonly (KnownFinding | null)[]): { readonly environments: number; readonly passedOver: number } {
  const files = findings.map((finding) => finding?.generated ?? 0);
  return { environments: files.filter((count) => count > 1).length, passedOver: files.reduce((sum, count) => sum + count, 0) };
}

function noteAll(memory: Unchanged, { loaded, bundles, joint }: StaleEnvironments, plans: readonly Plan[]): void {
  // What stays though it is no longer generated is told at each run.
  const kept = new Set(plans.flatMap(({ owner, changes }) => (changes.some(({ action }) => action === "keep") ? [owner] : [])));
  for (const { name, files, diagnostics } of loaded)
    if (!kept.has(name)) memory.note(name, files, [...(bundles.get(name)?.keys() ?? [])], diagnostics);
  memory.note(rootOwner, [], [helmfileFile], joint);
  memory.save();
}
