import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../diagnostics/rule-info.ts";
import { missingFolders, workloadFolderRule } from "../lint/specs/folders.ts";
import { gitopsPathRule, pathMismatch } from "../lint/specs/gitops.ts";
import { judgement } from "../lint/specs.ts";
import type { Loaded } from "../spec/load.ts";
import type { RuleFinding } from "../spec/rule.ts";
import { namespaceErrors } from "./workload-folders.ts";

/**
 * Returns findings about the files of the platform repository, and about its place in Git.
 *
 * @param root folder of the platform repository
 * @param place path of the platform repository inside its Git repository; null without Git
 */
export function placeFindings(root: string, place: string | null, loaded: Loaded): Diagnostic[] {
  const { environment, locate } = loaded;
  if (environment === null || locate === null) return [];
  const report = (rule: RuleInfo, findings: Iterable<RuleFinding>): Diagnostic[] =>
    [...findings].map((finding) => locate(judgement(rule, finding, environment)));
  return [
    ...report(gitopsPathRule, pathMismatch(environment, place)),
    ...report(
      workloadFolderRule,
      missingFolders(environment, (path) => existsSync(join(root, path))),
    ),
    ...namespaceErrors(root, loaded),
  ];
}
