import { push, type Step } from "../components/change-rule.ts";
import type { Risk } from "../components/risk-levels.ts";

/** The procedures of several changes that are in one commit. */
export type Procedures =
  /** At most one procedure, or several procedures that share one push: the steps of all procedures in one list. */
  | { readonly kind: "one"; readonly steps: readonly Step[] }
  /** Procedures that cannot share one push, for example because one of them consists of several commits. */
  | { readonly kind: "separate" };

/** The part of a change that determines its procedure. */
interface Change {
  readonly risk: Risk;
  readonly steps: readonly Step[];
}

/**
 * Combines the procedures of changes into a single list of steps, if possible (see `mergeSteps`). A restart of the whole
 * mesh is not combined with a procedure of another risk that contains a push, because the pods would restart in the
 * middle of that procedure.
 */
export function combineProcedures(changes: readonly Change[]): Procedures {
  const own = changes.filter(({ steps }) => steps.length > 0);
  const lists = [...new Map(own.map(({ steps }) => [JSON.stringify(steps), steps])).values()];
  const restarts = own.some(({ risk }) => risk === "mesh-restart");
  const others = own.some(({ risk, steps }) => risk !== "mesh-restart" && steps.some(isPush));
  const steps = restarts && others ? null : mergeSteps(lists);
  return steps === null ? { kind: "separate" } : { kind: "one", steps };
}

/**
 * Merges lists of steps. Returns null if the lists cannot be merged.
 *
 * If no list contains several pushes, the result contains the steps that come before the push, one push, and the steps
 * that come after the push. If lists contain several pushes, they must contain equally many, and the other lists must not
 * contain a push. The result then contains the first steps of these lists up to their first pushes, and so on. Each part
 * keeps the order of the lists.
 */
export function mergeSteps(lists: readonly (readonly Step[])[]): Step[] | null {
  const count = (steps: readonly Step[]): number => steps.filter(isPush).length;
  const pushes = Math.max(0, ...lists.map(count));
  if (pushes <= 1) return mergeAtPush(lists);
  const long = lists.filter((steps) => count(steps) > 0);
  if (long.some((steps) => count(steps) !== pushes)) return null;
  const parts = lists.map(phases);
  const short = parts.filter((_, index) => count(lists[index] ?? []) === 0);
  const rounds = Array.from({ length: pushes + 1 }, (_, round) => long.flatMap((steps) => untilPush(steps)[round] ?? []));
  return unique([...short.flatMap(({ before }) => before), ...rounds.flat(), ...short.flatMap(({ after }) => after)]);
}

/** Splits a list of steps after each push. */
function untilPush(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [[]];
  for (const step of steps) {
    parts.at(-1)?.push(step);
    if (isPush(step)) parts.push([]);
  }
  return parts;
}

function mergeAtPush(lists: readonly (readonly Step[])[]): Step[] {
  const parts = lists.map(phases);
  const pushes = parts.flatMap((part) => part.push);
  const before = parts.flatMap((part) => part.before);
  const after = parts.flatMap((part) => part.after);
  // A push with a command also contains the commands that commit the files.
  const [shared = push] = [...pushes.filter(({ command }) => command !== undefined), ...pushes];
  const isNeeded = pushes.length > 0 || (before.length > 0 && after.length > 0);
  return unique([...before, ...(isNeeded ? [shared] : []), ...after]);
}

function phases(steps: readonly Step[]): {
  readonly before: readonly Step[];
  readonly push: readonly Step[];
  readonly after: readonly Step[];
} {
  const at = steps.findIndex(isPush);
  if (at >= 0) return { before: steps.slice(0, at), push: steps.slice(at, at + 1), after: steps.slice(at + 1) };
  return {
    before: steps.filter(({ phase }) => phase === "before"),
    push: [],
    after: steps.filter(({ phase }) => phase !== "before"),
  };
}

function isPush({ phase }: Step): boolean {
  return phase === "push";
}

/** Removes steps that occur earlier in the list. */
export function unique(steps: readonly Step[]): Step[] {
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
}
