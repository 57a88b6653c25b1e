import type { SchemaError } from "./schema-errors.ts";

/** A validator that ajv compiled. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}
