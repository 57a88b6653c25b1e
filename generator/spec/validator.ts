import type { SchemaError } from "./schema-errors.ts";

/** A validator that was compiled by ajv. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}
