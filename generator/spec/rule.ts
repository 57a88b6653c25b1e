import type { RuleInfo } from "../diagnostics/rule-info.ts";
import type { Path, Statement } from "../diagnostics/source.ts";
import type { Environment } from "./environment.generated.ts";

/** A rule violation and the values that cause it. The violation is reported at the first value that a file sets. */
export interface RuleFinding {
  readonly paths: readonly Path[];
  /** Whether the finding refers to the key or to the value; default: the value. */
  readonly part?: "key" | "value";
  readonly message: string;
  readonly fix: string;
  readonly expected?: string;
}

/** A rule that a JSON schema cannot express. The rule checks a resolved environment. */
export interface Rule extends RuleInfo {
  readonly check: (environment: Environment) => Iterable<RuleFinding>;
}

/** A rule about files in the repository to which a resolved environment refers. */
export interface FileRule extends RuleInfo {
  /** @param exists returns whether the repository contains the file with a path */
  readonly check: (environment: Environment, exists: (path: string) => boolean) => Iterable<RuleFinding>;
}

/** Path of a value below `spec`. */
export function spec(...steps: Path): Path {
  return ["spec", ...steps];
}

/** A rule violation with the text of its diagnostic. The position in the spec file is not yet known. */
export interface LocatedFinding {
  readonly paths: RuleFinding["paths"];
  readonly part: "key" | "value";
  readonly statement: Statement;
}
