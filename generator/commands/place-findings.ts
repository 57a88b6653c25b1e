import { existsSync } from "node:fs";
import { join } from "node:path";
import { readProtoFile } from "../bundle/workload-files.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { gitopsPathRule, pathMismatch } from "../lint/specs/gitops.ts";
import {
  type ReadServices,
  retriedStreams,
  unknownMethods,
  workloadMethodRule,
  workloadStreamRule,
} from "../lint/specs/workload-methods.ts";
import { fileRules } from "../lint/specs.ts";
import type { Loaded } from "../spec/load.ts";
import { ruleFindings } from "./rule-findings.ts";
import { namespaceErrors } from "./workload-folders.ts";

/**
 * Returns the findings that depend on other files than the spec: findings about folders and .proto files to which the
 * spec refers, and about the path of the platform repository in its Git repository.
 *
 * @param root folder of the platform repository
 * @param place path of the platform repository inside its Git repository, or null if the platform repository is not in
 * a Git repository
 */
export function placeFindings(root: string, place: string | null, loaded: Loaded): Diagnostic[] {
  const exists = (path: string): boolean => existsSync(join(root, path));
  const services: ReadServices = (path) => readProtoFile(root, path).services;
  return [
    ...ruleFindings(loaded, gitopsPathRule, (environment) => pathMismatch(environment, place)),
    ...fileRules.flatMap((rule) => ruleFindings(loaded, rule, (environment) => rule.check(environment, exists))),
    ...namespaceErrors(root, loaded),
    ...ruleFindings(loaded, workloadMethodRule, (environment) => unknownMethods(environment, services)),
    ...ruleFindings(loaded, workloadStreamRule, (environment) => retriedStreams(environment, services)),
  ];
}
