import { join } from "node:path";
import { applyPlan, removeTemporaries } from "../../bundle/apply.ts";
import type { Bundle } from "../../bundle/bundle.ts";
import { hasDrift } from "../../bundle/plan.ts";
import type { Repository } from "../../bundle/repository.ts";
import { finishChanges } from "../../identity/transaction.ts";
import { exitCode } from "../../system/errors.ts";
import { withLock } from "../../system/lock.ts";
import { stateFolder } from "../../system/state-folder.ts";
import { type CommonOptions, repositoryIn } from "../context.ts";
import type { Io } from "../io.ts";
import { withProgress } from "../terminal/progress.ts";
import { prepare, prepareToWrite } from "./prepare.ts";
import { printDrift, printPlans, refuseConflicts } from "./report.ts";
import { printUpgradeNotes } from "./upgrade-notes.ts";

export interface GenerateOptions extends CommonOptions {
  /** Write nothing; exit 1 where the bundle on disk is not what the specs say. */
  readonly check: boolean;
  /** Write nothing; print the bundle as one YAML stream. */
  readonly stdout: boolean;
  /** Overwrite files that meshops did not write. */
  readonly force: boolean;
  /** Record edited bases, hooks and workflows as up to date. */
  readonly acceptScaffold: boolean;
}

/** `meshops generate [env…]`: writes the bundle of the named environments, or of all. */
export async function generate(names: readonly string[], options: GenerateOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  const { root } = repository;
  if (options.check || options.stdout) return read(io, repository, names, options);
  // The specs are read under the lock: what waited for it must not write what they said before.
  return withLock(root, async () => {
    if (await finishChanges(root)) io.stderr.write("finished what an interrupted run had begun with an identity\n");
    const prepared = prepareToWrite(io, repository, names, options.acceptScaffold);
    if (prepared === null) return exitCode.problem;
    const { plans } = prepared;
    refuseConflicts(plans, options.force);
    const drifted = plans.filter(hasDrift);
    if (drifted.length > 0) removeTemporaries(join(root, stateFolder));
    for (const plan of withProgress(io, "writing", drifted)) applyPlan(root, plan);
    printUpgradeNotes(io, plans);
    printPlans(io, prepared, options);
    return exitCode.ok;
  });
}

/** `--check` and `--stdout`: nothing is written, so no lock is needed. */
function read(io: Io, repository: Repository, names: readonly string[], options: GenerateOptions): number {
  const prepared = prepare(io, repository, names);
  if (prepared === null) return exitCode.problem;
  if (options.check) return printDrift(io, prepared.plans, options);
  for (const { bundle } of prepared.plans) io.stdout.write(stream(bundle));
  return exitCode.ok;
}

/** The bundle as one YAML stream; every file's documents come under its path. */
function stream(bundle: Bundle): string {
  return [...bundle].map(([path, text]) => `---\n# Source: ${path}\n${text}`).join("");
}
