import type { DiagnosticCode } from "../diagnostics/diagnostic.ts";
import type { Path, Statement } from "../diagnostics/source.ts";
import { didYouMean, nearest } from "../diagnostics/suggest.ts";
import { asMap } from "../system/data.ts";
import { alternatives } from "../system/text.ts";

/**
 * The fields of an ajv error that meshops uses. ajv runs with the option `verbose`, so the field `parentSchema` of an
 * error contains the violated schema.
 */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly parentSchema?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

/** A finding about a path in a document. The finding does not contain the file name. */
export interface SchemaFinding {
  readonly path: Path;
  readonly part: "key" | "value";
  readonly statement: Statement;
}

/**
 * Removes errors of ajv that only follow from another error. If a value has the wrong type, ajv can also report the
 * `enum` of the value. If the name of a key is wrong, ajv also reports `propertyNames`. If a map has unknown keys, ajv
 * can also report the number of keys. The function also removes errors about items of a list that do not match
 * `contains`, because only one item must match.
 */
export function relevant(errors: readonly SchemaError[]): SchemaError[] {
  const pathsWith = (keyword: string): ReadonlySet<string> =>
    new Set(errors.filter((error) => error.keyword === keyword).map(({ instancePath }) => instancePath));
  const mistyped = pathsWith("type");
  const unknown = pathsWith("additionalProperties");
  return errors.filter(
    ({ keyword, instancePath, schemaPath }) =>
      !(/^(min|max)Properties$/.test(keyword) && unknown.has(instancePath)) &&
      (keyword === "type" || !mistyped.has(instancePath)) &&
      !schemaPath.includes("/contains/") &&
      keyword !== "propertyNames",
  );
}

/** Converts a schema error to a finding. The finding describes the problem and the expected value. */
export function explain(error: SchemaError): SchemaFinding {
  const path = fromPointer(error.instancePath);
  const { params, parentSchema = {}, data } = error;
  const found = (
    code: DiagnosticCode,
    message: string,
    expected: string | null = null,
    fix: string | null = null,
    part: "key" | "value" = "value",
    at: Path = path,
  ): SchemaFinding => ({ path: at, part, statement: { code, severity: "error", message, expected, fix } });
  const name = path.length === 0 ? "the document" : `"${lastName(path)}"`;

  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(params["additionalProperty"]);
      const known = Object.keys((parentSchema["properties"] as object | undefined) ?? {});
      return found("unknown-key", `unknown key "${key}"`, oneOf(known), didYouMean(key, known), "key", [...path, key]);
    }
    case "required": {
      const key = String(params["missingProperty"]);
      const fix = addFix([...path, key], asMap(asMap(parentSchema["properties"])[key]));
      return found("missing-key", `missing key ${formatPath([...path, key])}`, null, fix, "key", [...path, key]);
    }
    case "enum": {
      const allowed = (params["allowedValues"] as unknown[]).filter((value) => value !== null).map(String);
      return found(
        "not-allowed",
        `${name} cannot be ${show(data)}`,
        oneOf(allowed),
        allowedFix(data, allowed, parentSchema, isIndex(path.at(-1) ?? "")),
      );
    }
    case "const":
      return found("not-allowed", `${name} cannot be ${show(data)}`, show(params["allowedValue"]));
    case "type": {
      const types = [params["type"]].flat().filter((type) => type !== "null");
      return found(
        "wrong-type",
        `${name} is ${describe(data)}`,
        expectedOf(types, data, parentSchema),
        quoteFix(types, data, parentSchema),
      );
    }
    case "pattern":
      return found(
        "bad-format",
        `${name} cannot be ${show(data)}`,
        String(parentSchema["patternErrorMessage"]),
        similar(data, parentSchema),
      );
    case "minLength":
    case "maxLength":
    case "minItems":
      return found("out-of-range", `${name} is too ${error.keyword === "maxLength" ? "long" : "short"}`, bounds(parentSchema));
    case "minimum":
    case "maximum":
      return found("out-of-range", `${name} cannot be ${show(data)}`, bounds(parentSchema));
    case "minProperties":
    case "maxProperties":
      return found("out-of-range", `${name} must have exactly one key`, oneOf(Object.keys(asMap(parentSchema["properties"]))));
    case "contains": {
      const needed = (parentSchema["contains"] as { const?: unknown }).const;
      return found("not-allowed", `${name} does not contain ${show(needed)}`, `a list that contains ${show(needed)}`);
    }
    case "uniqueItems":
      return found("duplicate-item", `${name} contains a duplicate item`, null, "remove one of the duplicate items", "value", [
        ...path,
        Math.max(Number(params["i"]), Number(params["j"])),
      ]);
    default:
      return found("not-allowed", `${name} violates the schema's rule "${error.keyword}"`);
  }
}

/**
 * Returns a fix that sets a missing key to the first example in the schema. The fix contains the path of the key. If
 * the key is in an item of a list, the fix contains only the part of the path below this item. Returns null if the
 * schema has no example, or if the example is not a scalar.
 */
function addFix(path: Path, { examples, const: only }: Schema): string | null {
  const [first] = Array.isArray(examples) ? examples : [];
  const end = path.slice(path.findLastIndex(isIndex) + 1);
  return isScalar(first) || typeof first === "string"
    ? `set ${formatPath(end)}: ${String(first)}${only === undefined ? ", for example" : ""}`
    : null;
}

/** Splits a JSON pointer (RFC 6901) into keys and list indexes. */
function fromPointer(pointer: string): Path {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~"));
}

function formatPath(path: Path): string {
  return path.map((step, index) => (isIndex(step) ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** Returns the last key of a path, with the list indexes after this key. */
function lastName(path: Path): string {
  const key = path.findLastIndex((step) => !isIndex(step));
  return formatPath(path.slice(Math.max(0, key)));
}

function isIndex(step: string | number): boolean {
  return /^\d+$/.test(String(step));
}

/**
 * Returns the fix for a value that is not in the list of allowed values. The fix suggests an allowed value that begins
 * with the given value, or that differs from the given value in at most two characters. If the digits of the two values
 * differ, as in two versions, the limit is one character. If no allowed value is similar, the fix is the schema's
 * `errorMessage`, or an example. For an item of a list, the fix contains no example, because the list can already
 * contain the example.
 */
function allowedFix(data: unknown, allowed: readonly string[], schema: Schema, isItem: boolean): string | null {
  const { errorMessage } = schema;
  const otherwise =
    typeof errorMessage === "string"
      ? errorMessage
      : isItem
        ? "remove this item, or use another value"
        : example(schema, allowed);
  if (typeof data !== "string") return otherwise;
  const digits = (text: string): string => text.replace(/\D/g, "");
  const sameDigits = allowed.filter((value) => digits(value) === digits(data));
  const longer = data.length < 3 ? [] : allowed.filter((value) => value.toLowerCase().startsWith(data.toLowerCase()));
  const guess = nearest(data, sameDigits, 2) ?? nearest(data, allowed, 1) ?? longer[0] ?? null;
  return guess === null ? otherwise : `did you mean "${guess}"?`;
}

/**
 * Returns what is expected instead of a value of the wrong type: the names of the allowed types. If the value is a
 * number or a Boolean, and the schema restricts the string, returns the format of the string or the allowed strings
 * instead.
 */
function expectedOf(types: readonly unknown[], data: unknown, { enum: allowed, patternErrorMessage }: Schema): string {
  if (isScalar(data) && patternErrorMessage !== undefined) return String(patternErrorMessage);
  if (isScalar(data) && Array.isArray(allowed)) return oneOf(allowed.filter((value) => value !== null).map(String));
  return types.map((type) => article(String(type))).join(" or ");
}

/**
 * If an example in the schema is almost equal to the value, returns a fix that suggests this example. Otherwise,
 * returns null.
 */
function similar(data: unknown, { examples }: Schema): string | null {
  return typeof data === "string" && Array.isArray(examples) ? didYouMean(data, examples.map(String), 1) : null;
}

/**
 * Returns the fix for a value that is a number or a Boolean, although the schema expects a string. Returns null for all
 * other values. If the schema accepts the quoted value, the fix is to quote the value.
 */
function quoteFix(types: readonly unknown[], data: unknown, schema: Schema): string | null {
  if (!types.includes("string") || !isScalar(data)) return null;
  const { enum: allowed, pattern, minLength = 0 } = schema;
  const text = String(data);
  const accepted =
    (!Array.isArray(allowed) || allowed.includes(text)) &&
    (typeof pattern !== "string" || new RegExp(pattern, "u").test(text)) &&
    text.length >= Number(minLength);
  if (accepted) return 'quote the value: "%s"';
  // If several words are allowed, the user could have meant any of them.
  const words = Array.isArray(allowed) ? allowed.filter((value) => value !== null).map(String) : [];
  return words.length > 0 && schema["default"] === undefined ? `use ${alternatives(words)}` : example(schema, words);
}

type Schema = Readonly<Record<string, unknown>>;

function isScalar(data: unknown): data is number | boolean {
  return typeof data === "number" || typeof data === "boolean";
}

/**
 * Returns a fix with a value that the schema accepts: the default, an example, or the first allowed value. Returns null
 * if the schema has none of these.
 */
function example({ default: byDefault, examples }: Schema, allowed: readonly string[]): string | null {
  const [first] = [byDefault, ...(Array.isArray(examples) ? examples : []), ...allowed].filter(
    (value) => typeof value === "string" || isScalar(value),
  );
  if (first === undefined) return null;
  // YAML reads a number without quotes as a number, and the schema requires a text.
  const isNumeric = typeof first === "string" && first.trim() !== "" && !Number.isNaN(Number(first));
  return `use a value such as ${isNumeric ? JSON.stringify(first) : String(first)}`;
}

function oneOf(words: readonly string[]): string {
  if (words.length === 0) return "no keys";
  return words.length === 1 ? words.join("") : `one of ${words.join(", ")}`;
}

function bounds(schema: Readonly<Record<string, unknown>>): string {
  const { minimum, maximum, minLength, maxLength, minItems } = schema;
  if (minItems !== undefined) return `at least ${String(minItems)} item`;
  const unit = minLength !== undefined || maxLength !== undefined ? " characters" : "";
  const [low, high] = [minimum ?? minLength, maximum ?? maxLength];
  if (high === undefined) return `at least ${String(low)}${unit}`;
  return low === undefined ? `at most ${String(high)}${unit}` : `${String(low)} to ${String(high)}${unit}`;
}

function describe(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? `the string ${show(value)}` : show(value);
}

const articles: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map",
  integer: "a whole number",
  boolean: "true or false",
};

function article(type: string): string {
  return articles[type] ?? `a ${type}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
