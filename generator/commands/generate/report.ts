import type { Colors } from "picocolors/types.js";
import { inventoryFile } from "../../bundle/inventory.ts";
import { type FileChange, hasDrift, type Plan } from "../../bundle/plan.ts";
import { contentsOf } from "../../components/contents.ts";
import type { Model } from "../../components/model.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { compareText, plural } from "../../system/text.ts";
import type { CommonOptions } from "../context.ts";
import type { Io } from "../io.ts";
import type { PlanSummary, Prepared } from "./prepare.ts";

/**
 * Stops before anything is written where that would take away what is not meshops'.
 *
 * @throws UserError (problem) naming every place
 */
export function refuseConflicts(plans: readonly Plan[], force: boolean): void {
  const places = (action: FileChange["action"]): string[] =>
    touched(plans).flatMap((change) => (change.action === action ? [change.path] : []));
  const blocked = places("blocked");
  if (blocked.length > 0)
    throw new UserError(
      exitCode.problem,
      `nothing was written: something that is no file stands at\n  ${blocked.join("\n  ")}`,
      "move it away",
    );
  const foreign = places("replace");
  if (foreign.length > 0 && !force)
    throw new UserError(
      exitCode.problem,
      `nothing was written: meshops did not write what stands at\n  ${foreign.join("\n  ")}`,
      "move the files away, or overwrite them with --force",
    );
}

/** Prints what each environment is made of, the files that `generate` touched, and their number. */
export function printPlans(io: Io, { plans, environments, models, passedOver }: Prepared, options: CommonOptions): void {
  if (options.output === "json") {
    io.stdout.write(toJson([...plans, ...passedOver]));
    return;
  }
  for (const model of models) io.stdout.write(describe(model, io.stdout.colors));
  const changes = touched(plans);
  printChanges(io, changes);
  const unchanged = plans.reduce(
    (sum, plan) => sum + plan.unchanged,
    passedOver.reduce((sum, row) => sum + row.unchanged, 0),
  );
  const count = (...actions: FileChange["action"][]): number => changes.filter(({ action }) => actions.includes(action)).length;
  const written = plural(count("create", "update", "replace"), "file");
  const where = `${plural(environments, "environment")} in helmfile.yaml, overlays/ and flux/`;
  io.stdout.write(`${where}: ${written} written, ${count("remove")} removed, ${unchanged} unchanged\n`);
}

/** Tells what `generate` would do, for `--check`. */
export function printDrift(io: Io, plans: readonly Plan[], options: CommonOptions): number {
  const drifted = plans.filter(hasDrift);
  if (options.output === "json") io.stdout.write(toJson(plans));
  else {
    const stale = drifted.filter(({ changes }) => changes.every(({ action }) => action === "keep"));
    const manifests = stale.map(({ owner }): FileChange => ({ path: inventoryFile(owner), action: "update", edited: false }));
    printChanges(io, [...touched(plans).filter(({ action }) => action !== "keep"), ...manifests]);
    const files = plural(
      plans.reduce((sum, plan) => sum + plan.bundle.size, 0),
      "file",
    );
    io.stdout.write(
      drifted.length === 0 ? `${files} up to date\n` : "the bundle is not what the specs say\nfix: meshops generate\n",
    );
  }
  return drifted.length === 0 ? exitCode.ok : exitCode.problem;
}

function printChanges(io: Io, changes: readonly FileChange[]): void {
  const { dim, yellow } = io.stdout.colors;
  for (const { path, action, edited } of changes) {
    const note = !edited ? "" : action === "keep" ? " (edited by hand; no longer generated)" : " (edited by hand)";
    io.stdout.write(`${dim(action.padEnd(7))} ${path}${yellow(note)}\n`);
  }
}

function touched(plans: readonly Plan[]): FileChange[] {
  return plans.flatMap(({ changes }) => changes).sort((a, b) => compareText(a.path, b.path));
}

/** `[{owner, unchanged, changes: [{path, action, edited}]}]`. */
function toJson(plans: readonly PlanSummary[]): string {
  return `${JSON.stringify(
    plans.map(({ owner, unchanged, changes }) => ({ owner, unchanged, changes })),
    null,
    2,
  )}\n`;
}

/** An environment in 80 columns: its releases, and its components in the order in which they come up. */
function describe({ environment, components }: Model, colors: Colors): string {
  const { linkerd, dgraph } = environment.spec;
  const availability = linkerd.highAvailability ? "high availability" : "single replicas";
  const title = `${colors.bold(environment.metadata.name)}  Linkerd ${linkerd.version}, Dgraph ${dgraph.chart}, ${availability}`;
  const rows = components.map(
    (component) => `  ${component.id.padEnd(22)} ${contentsOf(component).padEnd(32)} ${colors.dim(component.namespace)}`,
  );
  return `${title}\n${rows.join("\n")}\n\n`;
}
