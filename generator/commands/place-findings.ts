import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { gitopsPathRule, pathMismatch } from "../lint/specs/gitops.ts";
import { judgement } from "../lint/specs.ts";
import type { Loaded } from "../spec/load.ts";

/**
 * Returns findings about the place of the platform repository in Git.
 *
 * @param place path of the platform repository inside its Git repository; null without Git
 */
export function placeFindings(place: string | null, { environment, locate }: Loaded): Diagnostic[] {
  if (environment === null || locate === null) return [];
  return [...pathMismatch(environment, place)].map((finding) => locate(judgement(gitopsPathRule, finding, environment)));
}
