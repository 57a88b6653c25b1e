import type { Environment } from "./environment.generated.ts";
import type { SchemaError } from "./schema-errors.ts";
import { validateFile, validateResolved } from "./validator.generated.ts";

/** A validator that ajv compiled. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Checks one file against the file form: unknown keys, types, formats; nothing has to be there. */
export function checkFileForm(value: unknown): readonly SchemaError[] {
  return validateFile(value) ? [] : (validateFile.errors ?? []);
}

type Completed = { environment: Environment; errors: null } | { environment: null; errors: readonly SchemaError[] };

/** Fills a merged environment with the defaults, in place, and checks that nothing is missing. */
export function complete(value: unknown): Completed {
  if (validateResolved(value)) return { environment: value as Environment, errors: null };
  return { environment: null, errors: validateResolved.errors ?? [] };
}
