import { type Diagnostic, isActive } from "../../diagnostics/diagnostic.ts";
import { messageWithExpected } from "../../diagnostics/text.ts";
import { asMap } from "../../system/data.ts";
import { placeOf } from "./place.ts";

/** An entry of the field `results` (KRM Functions Specification v1). */
export interface Result {
  readonly message: string;
  readonly severity: "error" | "warning" | "info";
  readonly resourceRef?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  };
  readonly field?: { readonly path: string };
  readonly file?: { readonly path: string; readonly index?: number };
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Converts a finding to a result.
 *
 * @param config the functionConfig if the finding is about a value in the functionConfig, otherwise null
 */
export function resultOf(diagnostic: Diagnostic, config: Readonly<Record<string, unknown>> | null): Result {
  const { code, severity, fix, file, path } = diagnostic;
  return {
    message: `${messageWithExpected(diagnostic)}${fix === null ? "" : `; fix: ${fix}`}`,
    severity: isActive(diagnostic) ? severity : "info",
    ...(config === null || path === undefined ? {} : { ...about(config), field: { path: fieldPath(path) } }),
    ...(config === null ? { file: { path: file } } : {}),
    tags: { code },
  };
}

/** Returns the fields of a result that refer to an object (`resourceRef`) and to the file of the object (`file`). */
export function about(object: Readonly<Record<string, unknown>>): Pick<Result, "resourceRef" | "file"> {
  const { apiVersion, kind, metadata } = object;
  const { generateName, name = generateName, namespace } = asMap(metadata);
  const place = placeOf(object);
  return {
    resourceRef: {
      apiVersion: String(apiVersion),
      kind: String(kind),
      name: String(name),
      ...(typeof namespace === "string" ? { namespace } : {}),
    },
    ...(place === null ? {} : { file: place }),
  };
}

/** Formats a path in the way that the KRM Functions Specification defines, such as `spec.containers[0].name`. */
export function fieldPath(path: readonly (string | number)[]): string {
  return path.map((step, index) => (/^\d+$/.test(String(step)) ? `[${step}]` : index === 0 ? String(step) : `.${step}`)).join("");
}

/** Formats a result as one line of text. */
export function lineOf({ message, severity, resourceRef, field, file }: Result): string {
  const object =
    resourceRef === undefined
      ? ""
      : `${resourceRef.kind} ${resourceRef.namespace === undefined ? "" : `${resourceRef.namespace}/`}${resourceRef.name}`;
  const where = [file?.path, object, field?.path].filter((part) => part !== undefined && part !== "").join(" ");
  return `${severity}${where === "" ? "" : ` ${where}`}: ${message}`;
}
