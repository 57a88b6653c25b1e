import type { Scalar as ScalarNode } from "yaml";
import { SopsError } from "./error.ts";
import { resolvePlain } from "./resolve.ts";
import type { TypedScalar } from "./scalar.ts";

export type Format = "yaml" | "json";

/** A value or one line of a comment, with its position in the tree. */
export interface Leaf {
  /**
   * Keys on the path to the leaf, without list indexes. For a comment, the keys on the path to the map or list that
   * contains the comment.
   */
  readonly path: readonly string[];
  readonly comment: boolean;
  /** Whether the leaf is an item of a list. */
  readonly item: boolean;
  /** Returns the current value with its type. A null value has no leaf. */
  read(): TypedScalar;
  /** Replaces the value. */
  write(scalar: TypedScalar): void;
}

/** Joins the keys of a path with dots, for messages. */
export function formatPath(path: readonly string[]): string {
  return path.join(".");
}

/**
 * Resolves the value of a scalar. Returns null for the YAML value null.
 *
 * @throws SopsError (unsupported) if the scalar has a tag other than `!!str`, or if sops cannot represent its value
 */
export function resolveScalar(node: ScalarNode, path: readonly string[], format: Format): TypedScalar | null {
  // sops treats `<<` as an ordinary string.
  if (node.tag === "tag:yaml.org,2002:merge") delete node.tag;
  if (node.tag !== undefined && node.tag !== "tag:yaml.org,2002:str")
    throw new SopsError("unsupported", `${formatPath(path)} has the tag ${node.tag}`, "write the value without a tag");
  const text = String(node.value);
  if (node.type !== "PLAIN" || node.tag !== undefined) return { type: "str", text };
  try {
    return format === "json" ? jsonMeaning(text) : resolvePlain(text);
  } catch (error) {
    throw new SopsError("unsupported", `${formatPath(path)}: ${(error as Error).message}`);
  }
}

/**
 * Resolves a JSON scalar. A number is an integer if it fits in 64 bits, otherwise a float (sops, stores/json,
 * normalizeJSONNumber).
 */
function jsonMeaning(text: string): TypedScalar | null {
  if (/^-?[0-9]+$/.test(text) && BigInt(text) >= -(2n ** 63n) && BigInt(text) < 2n ** 63n)
    return { type: "int", text: String(BigInt(text)) };
  if (!/^[-0-9]/.test(text)) return resolvePlain(text);
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error("the number is too large for SOPS");
  return { type: "float", text: Object.is(value, -0) ? "-0" : String(value) };
}

export function valueLeaf(node: ScalarNode, path: readonly string[], format: Format, item: boolean): Leaf {
  return {
    path,
    comment: false,
    item,
    read: () => resolveScalar(node, path, format) ?? { type: "str", text: "" },
    write: (scalar) => {
      if (scalar.type === "comment") node.value = new ListComment(scalar.text);
      else
        node.value =
          scalar.type === "bool" ? scalar.text.toLowerCase() : scalar.type === "float" ? floatText(scalar.text) : scalar.text;
      delete node.tag;
      node.type = styleOf(scalar, format);
    },
  };
}

/** A comment in a list. sops stores such a comment as an encrypted item of the list. */
export class ListComment {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Formats a float so that YAML parses it as a float again: with a decimal point, or as `.nan` or `.inf`. */
function floatText(text: string): string {
  const special = ({ NaN: ".nan", "+Inf": ".inf", "-Inf": "-.inf" } as Record<string, string>)[text];
  return special ?? (text.includes(".") ? text : `${text}.0`);
}

/** Returns the YAML style for a value. In this style, sops and YAML 1.1 parsers resolve the value to the same type. */
function styleOf({ type, text }: TypedScalar, format: Format): ScalarNode.Type {
  if (type !== "str") return "PLAIN";
  if (format === "json") return "QUOTE_DOUBLE";
  if (/[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\ufeff\u2028\u2029]/u.test(text)) return "QUOTE_DOUBLE";
  if (/\n/.test(text)) return /^[ \t\n]|[ \t]\n|[ \t]$/.test(text) || !/\S/.test(text) ? "QUOTE_DOUBLE" : "BLOCK_LITERAL";
  if (/^(y|n|yes|no|on|off|true|false|null|~|=|<<)$/i.test(text) || /^[-+.0-9]/.test(text) || text === "") return "QUOTE_DOUBLE";
  return "PLAIN";
}

type Commented = { comment?: string | null; commentBefore?: string | null };

/** Yields one leaf for each non-empty line of a comment. */
export function* commentLeaves(holder: unknown, field: keyof Commented, path: readonly string[]): Iterable<Leaf> {
  const owner = holder as Commented;
  const count = owner[field]?.split("\n").length ?? 0;
  for (let index = 0; index < count; index += 1) {
    const line = (): string => owner[field]?.split("\n")[index] ?? "";
    if (line() === "") continue;
    yield {
      path,
      comment: true,
      item: false,
      read: () => ({ type: "comment", text: line() }),
      write: ({ text }) => {
        const lines = (owner[field] ?? "").split("\n");
        lines[index] = text;
        owner[field] = lines.join("\n");
      },
    };
  }
}
