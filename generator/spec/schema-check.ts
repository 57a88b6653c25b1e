import { asMap } from "../system/data.ts";
import type { Environment } from "./environment.generated.ts";
import type { SchemaError } from "./schema-errors.ts";
import { validateFile, validateResolved } from "./validator.generated.ts";

/** Checks one file against the schema for spec files: unknown keys, types, formats. Keys of `spec` may be missing. */
export function checkFileForm(value: unknown): readonly SchemaError[] {
  return validateFile(value) ? [] : (validateFile.errors ?? []);
}

/** A merged environment with its defaults, and its schema errors. */
interface Completed {
  /** Null if a value is missing or wrong. Unknown keys are ignored, because the rest of the environment is usable. */
  readonly environment: Environment | null;
  readonly errors: readonly SchemaError[];
}

/**
 * Sections that are enabled if a spec omits them. A null in a spec removes a section, so the section is then also
 * enabled. Therefore, a spec cannot disable these sections with null.
 */
export const enabledByDefault: readonly string[] = sectionsEnabledByDefault();

function sectionsEnabledByDefault(): string[] {
  const value = { spec: {} };
  validateResolved(value);
  return Object.entries(value.spec).flatMap(([section, defaults]) => (asMap(defaults)["enabled"] === true ? [section] : []));
}

/** Adds the defaults to a merged environment, in place, and checks the result against the schema for resolved specs. */
export function complete(value: unknown): Completed {
  const errors = validateResolved(value) ? [] : (validateResolved.errors ?? []);
  const usable = errors.every(({ keyword }) => keyword === "additionalProperties");
  return { environment: usable ? (value as Environment) : null, errors };
}
