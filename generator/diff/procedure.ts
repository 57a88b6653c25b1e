import { type Procedure, push, type Step } from "../components/change-rule.ts";
import { distinctBy } from "../system/data.ts";

/** The procedures of all changes in one commit. */
export type Procedures =
  /** The steps of all procedures in one list. Empty if no change requires steps. */
  | { readonly kind: "one"; readonly steps: readonly Step[] }
  /**
   * Procedures that need separate commits, in order of execution. The steps of each procedure depend on the content of
   * its commit.
   */
  | { readonly kind: "separate"; readonly procedures: readonly Procedure[] };

/**
 * Step that asks the user to split a commit whose procedures cannot be combined. The steps for a separate commit depend
 * on the content of this commit. For example, the steps contain the names of the Kustomizations to suspend. The user
 * therefore runs `meshops diff` for each separate commit.
 */
export const separateCommits: Step = {
  text: "These changes need several procedures that cannot share one commit. Make the changes in separate commits. For each commit, remove the other changes from the spec, run meshops generate, and run meshops diff. Follow the steps that meshops diff then prints, and complete them before you start with the next commit.",
};

/**
 * Combines the procedures of changes.
 *
 * A procedure without a push contains checks and preparations (phase `before`), and steps for the time after a push.
 * The function combines such a procedure with all other procedures. The checks of the procedure come first, so that
 * they can still prevent the push. If all pushes of all procedures have the field `shared`, the procedures get one
 * common push. If each procedure with pushes has a push without this field, the function combines these procedures only
 * if all have the same number of pushes, and at least two. An example is an upgrade that affects several sets of pods.
 * In all other cases, the procedures need separate commits.
 */
export function combineProcedures(given: readonly Procedure[]): Procedures {
  const all = distinctBy(
    given.filter(({ steps }) => steps.length > 0),
    ({ steps }) => JSON.stringify(steps),
  );
  const stops = unique(all.flatMap(({ steps }) => steps.filter(({ phase }) => phase === "stop")));
  if (stops.length > 0) return { kind: "one", steps: stops };
  const pushes = (steps: readonly Step[]): Step[] => steps.filter(({ phase }) => phase === "push");
  const simple = all.filter(({ steps }) => pushes(steps).length === 0).flatMap(({ steps }) => steps);
  const before = unique(simple.filter(({ phase }) => phase === "before"));
  const after = unique(simple.filter(({ phase }) => phase !== "before"));
  const withPush = all.filter(({ steps }) => pushes(steps).length > 0);
  const shared = withPush.filter(({ steps }) => pushes(steps).every((step) => step.shared === true));
  const own = withPush.filter((each) => !shared.includes(each)).map(({ steps }) => steps);
  const core = own.length === 0 ? atOnePush(shared.map(({ steps }) => steps)) : shared.length === 0 ? commitByCommit(own) : null;
  if (core === null) {
    const last = ({ risk }: Procedure): number => (risk === "mesh-restart" ? 1 : 0);
    return { kind: "separate", procedures: [...withPush].sort((a, b) => last(a) - last(b)) };
  }
  const isPushMissing = core.length === 0 && before.length > 0 && after.length > 0;
  const steps = [...before, ...(isPushMissing ? [push] : core), ...after];
  const isLast = ({ phase }: Step): boolean => phase === "last";
  return { kind: "one", steps: unique([...steps.filter((step) => !isLast(step)), ...steps.filter(isLast)]) };
}

/**
 * Merges lists of steps that each contain one push with the field `shared`. The result contains the steps before the
 * push, one push, and the steps after the push.
 */
function atOnePush(lists: readonly (readonly Step[])[]): Step[] {
  const parts = lists.map(untilPush);
  const pushes = parts.map(([first = []]) => first.at(-1)).filter((step) => step !== undefined);
  // A push with a command also contains the commands that commit the files.
  const [chosen] = [...pushes.filter(({ command }) => command !== undefined), ...pushes];
  return [
    ...parts.flatMap(([first = []]) => first.slice(0, -1)),
    ...(chosen === undefined ? [] : [chosen]),
    ...parts.flatMap(([, ...rest]) => rest.flat()),
  ];
}

/**
 * Merges lists of steps that all contain the same number of pushes, and at least two. The result contains the steps of
 * all lists up to their first push, then the steps up to their second push, and so on. Returns a single list unchanged.
 * Returns null if the lists cannot be merged.
 */
function commitByCommit(lists: readonly (readonly Step[])[]): readonly Step[] | null {
  const parts = lists.map(untilPush);
  const [first = [], ...others] = parts;
  if (others.length === 0) return first.flat();
  if (first.length <= 2 || others.some((part) => part.length !== first.length)) return null;
  return first.flatMap((_, round) => parts.flatMap((part) => part[round] ?? []));
}

/** Splits a list of steps after each push. */
function untilPush(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [[]];
  for (const step of steps) {
    parts.at(-1)?.push(step);
    if (step.phase === "push") parts.push([]);
  }
  return parts;
}

/** Removes steps that occur earlier in the list. */
function unique(steps: readonly Step[]): Step[] {
  return distinctBy(steps, (step) => JSON.stringify(step));
}
