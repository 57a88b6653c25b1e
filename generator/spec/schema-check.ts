import type { Environment } from "./environment.generated.ts";
import type { SchemaError } from "./schema-errors.ts";
import { validateFile, validateResolved } from "./validator.generated.ts";

/** Checks one file against the file form: unknown keys, types, formats; nothing has to be there. */
export function checkFileForm(value: unknown): readonly SchemaError[] {
  return validateFile(value) ? [] : (validateFile.errors ?? []);
}

/** A merged environment with its defaults, and what is wrong with it. */
interface Completed {
  /** Null where a value is missing or wrong; keys that nobody knows leave the rest of an environment usable. */
  readonly environment: Environment | null;
  readonly errors: readonly SchemaError[];
}

/** Fills a merged environment with the defaults, in place, and checks that nothing is missing. */
export function complete(value: unknown): Completed {
  const errors = validateResolved(value) ? [] : (validateResolved.errors ?? []);
  const usable = errors.every(({ keyword }) => keyword === "additionalProperties");
  return { environment: usable ? (value as Environment) : null, errors };
}
