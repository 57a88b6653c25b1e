import type { RuleInfo } from "../diagnostics/rule-info.ts";
import type { Path, Statement } from "../diagnostics/source.ts";
import type { Environment } from "./environment.generated.ts";

/** What a rule finds, and the values that it is about: it is reported at the first of them that a file sets. */
export interface RuleFinding {
  readonly paths: readonly Path[];
  readonly message: string;
  readonly fix: string;
  readonly expected?: string;
}

/** A rule that a schema cannot express: it looks at a resolved environment and reports what is wrong with it. */
export interface Rule extends RuleInfo {
  readonly check: (environment: Environment) => Iterable<RuleFinding>;
}

/** The path of a value below `spec`. */
export function spec(...steps: Path): Path {
  return ["spec", ...steps];
}

/** What a rule found in an environment, as it is reported. */
export interface Judgement {
  readonly paths: RuleFinding["paths"];
  readonly statement: Statement;
}
