import type { Environment } from "./environment.generated.ts";
import type { SchemaError } from "./schema-errors.ts";
import * as generated from "./validator.generated.ts";

interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Checks one file against the file form: unknown keys, types, formats; nothing has to be there. */
export function checkFileForm(value: unknown): readonly SchemaError[] {
  const validate = generated.validateFile as unknown as Validator;
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Fills a merged environment with the defaults, in place, and checks that nothing is missing. */
export function complete(value: unknown): { environment: Environment; errors: null } | { environment: null; errors: readonly SchemaError[] } {
  const validate = generated.validateResolved as unknown as Validator;
  return validate(value) ? { environment: value as Environment, errors: null } : { environment: null, errors: validate.errors ?? [] };
}
