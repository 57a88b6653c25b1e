import type { Scalar as ScalarNode } from "yaml";
import { SopsError } from "./error.ts";
import { resolvePlain } from "./resolve.ts";
import type { Scalar } from "./scalar.ts";

export type Format = "yaml" | "json";

/** A value or a line of a comment, where it stands in the tree. */
export interface Leaf {
  /** Keys on the way to it; places in lists have none. A comment's is that of the map or list it stands in. */
  readonly path: readonly string[];
  readonly comment: boolean;
  /** Whether it is an item of a list. */
  readonly item: boolean;
  /** What it says now: a value by its type; for null there is no leaf. */
  read(): Scalar;
  /** Writes a value of a type. */
  write(scalar: Scalar): void;
}

/** A path as messages show it. */
export function shown(path: readonly string[]): string {
  return path.join(".");
}

/** What a scalar means; null for null. */
export function meaning(node: ScalarNode, path: readonly string[], format: Format): Scalar | null {
  // `<<` is a text like any other to sops.
  if (node.tag === "tag:yaml.org,2002:merge") delete node.tag;
  if (node.tag !== undefined && node.tag !== "tag:yaml.org,2002:str")
    throw new SopsError("unsupported", `${shown(path)} has the tag ${node.tag}`, "write the value without a tag");
  const text = String(node.value);
  if (node.type !== "PLAIN" || node.tag !== undefined) return { type: "str", text };
  try {
    return format === "json" ? jsonMeaning(text) : resolvePlain(text);
  } catch (error) {
    throw new SopsError("unsupported", `${shown(path)}: ${(error as Error).message}`);
  }
}

/** Numbers of JSON: integers where they fit 64 bits, else floats (sops, stores/json, normalizeJSONNumber). */
function jsonMeaning(text: string): Scalar | null {
  if (/^-?[0-9]+$/.test(text) && BigInt(text) >= -(2n ** 63n) && BigInt(text) < 2n ** 63n)
    return { type: "int", text: String(BigInt(text)) };
  if (!/^[-0-9]/.test(text)) return resolvePlain(text);
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error("the value is too large a number for SOPS");
  return { type: "float", text: Object.is(value, -0) ? "-0" : String(value) };
}

export function valueLeaf(node: ScalarNode, path: readonly string[], format: Format, item: boolean): Leaf {
  return {
    path,
    comment: false,
    item,
    read: () => meaning(node, path, format) ?? { type: "str", text: "" },
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

/** A comment among the items of a list, where sops keeps it as an encrypted item. */
export class ListComment {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A float as YAML spells it, so that it is read as one again: with a point, or by the name of what is no number. */
function floatText(text: string): string {
  const special = ({ NaN: ".nan", "+Inf": ".inf", "-Inf": "-.inf" } as Record<string, string>)[text];
  return special ?? (text.includes(".") ? text : `${text}.0`);
}

/** How a value must be written to be read as its type: by sops, and by readers of YAML 1.1 too. */
function styleOf({ type, text }: Scalar, format: Format): ScalarNode.Type {
  if (type !== "str") return "PLAIN";
  if (format === "json") return "QUOTE_DOUBLE";
  if (/[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\ufeff\u2028\u2029]/u.test(text)) return "QUOTE_DOUBLE";
  if (/\n/.test(text)) return /^[ \t\n]|[ \t]\n|[ \t]$/.test(text) || !/\S/.test(text) ? "QUOTE_DOUBLE" : "BLOCK_LITERAL";
  if (/^(y|n|yes|no|on|off|true|false|null|~|=|<<)$/i.test(text) || /^[-+.0-9]/.test(text) || text === "") return "QUOTE_DOUBLE";
  return "PLAIN";
}

type Commented = { comment?: string | null; commentBefore?: string | null };

/** The lines of a comment, each a leaf. */
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
