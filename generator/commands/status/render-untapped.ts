import { plural } from "../../system/text.ts";
import { wrap } from "../terminal/wrap.ts";

/** A workload with pods that started before viz's tap injector. */
export interface Untapped {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: readonly string[];
  /** Command after which tap reports the calls of the pods. */
  readonly fix: string;
}

/** Returns the lines of the text output about pods that tap cannot report. */
export function renderUntapped(found: readonly Untapped[]): string[] {
  if (found.length === 0) return [];
  const count = found.reduce((sum, { pods }) => sum + pods.length, 0);
  return [
    ...wrap(
      `tap cannot report the calls of ${plural(count, "pod")}, because ${count === 1 ? "the pod" : "these pods"} started before viz's tap injector; to use tap, run:`,
      "",
    ),
    ...found.map(({ fix }) => `    ${fix}`),
  ];
}
