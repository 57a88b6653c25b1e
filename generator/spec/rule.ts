import type { RuleInfo } from "../diagnostics/rule-info.ts";
import type { Path, Statement } from "../diagnostics/source.ts";
import type { Manifest } from "../kubernetes/read.ts";
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

/** Files that rules can read. Paths are relative to the root of the platform repository. */
export interface RepositoryFiles {
  exists(path: string): boolean;
  /** Returns the text of a file, or null if the file does not exist. */
  text(path: string): string | null;
  /**
   * Returns the objects in the YAML files of a folder and its subfolders. Skips documents that cannot be parsed. Returns
   * an empty list if the folder does not exist.
   */
  objectsBelow(folder: string): readonly Manifest[];
  /**
   * Path of the platform repository inside its Git repository, `.` for the root. Null if the platform repository is not
   * in a Git repository.
   */
  readonly place: string | null;
  /**
   * Returns those Flux objects and Namespaces in the files of the Git repository that meshops did not generate. Reads
   * all YAML files of the Git repository. Returns an empty list if the platform repository is not in a Git repository.
   */
  otherObjects(): readonly OtherObject[];
}

/** A Flux object or a Namespace in the Git repository that meshops did not generate. */
export interface OtherObject {
  /** Path of the file, relative to the root of the Git repository. */
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  /** Null if the object in the file has no `metadata.namespace`. */
  readonly namespace: string | null;
}

/** A rule that checks a resolved environment, and also reads files of the repository. */
export interface FileRule extends RuleInfo {
  readonly check: (environment: Environment, files: RepositoryFiles) => Iterable<RuleFinding>;
  /** Whether only `meshops validate` checks the rule, because the check reads all YAML files of the Git repository. */
  readonly onlyByValidate?: true;
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
