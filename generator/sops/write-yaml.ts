import { isMap, isNode, isScalar, isSeq, type Node, Pair, Scalar, visit, YAMLMap, YAMLSeq } from "yaml";
import { type Metadata, writeMetadata } from "./metadata.ts";
import type { Tree } from "./tree.ts";
import { ListComment } from "./values.ts";

/**
 * Returns the text of a tree, with the metadata under the key `sops`. If the metadata is null, the key `sops` is
 * omitted.
 */
export function emitTree(tree: Tree, metadata: Metadata | null): string {
  const { root, document, format, indent, indentSeq } = tree;
  const endsInComment = tree.leaves.at(-1)?.comment === true;
  const index = root.items.findIndex(({ key }) => isScalar(key) && key.value === "sops");
  if (metadata === null) {
    const [removed] = index === -1 ? [] : root.items.splice(index, 1);
    // Comments above the key `sops` become the last comments of the file.
    const above = isScalar(removed?.key) ? removed.key.commentBefore : null;
    if (above) document.comment = [above, document.comment].filter(Boolean).join("\n");
  } else {
    const value = nodeOf(writeMetadata(metadata));
    const pair = root.items[index];
    if (pair === undefined) {
      const key = plain("sops");
      // An empty line keeps comments at the end of the file separate from the metadata.
      key.spaceBefore = endsInComment;
      root.items.push(new Pair(key, value));
    } else pair.value = value;
  }
  restoreListComments(document);
  if (format === "json") return `${json(root, "")}\n`;
  const text = document.toString({ indent, indentSeq, lineWidth: 0 }).replace(/[\x7f-\x9f\u2028\u2029\ufeff]/g, escaped);
  return metadata === null && endsInComment ? `${text.trimEnd()}\n` : text;
}

/**
 * Escapes a character that YAML 1.1 rejects or treats as a line end. Also escapes U+FEFF, because go-yaml skips this
 * character at the start of its read buffer (go-yaml v3, yamlprivateh.go, `is_bom`). These characters occur only in
 * double-quoted strings: `parseTree` rejects files that contain these characters without escaping, and `valueLeaf`
 * writes decrypted values with these characters in double quotes.
 */
function escaped(letter: string): string {
  const named: Readonly<Record<string, string>> = {
    "\u0085": "\\N",
    "\u2028": "\\L",
    "\u2029": "\\P",
    "\ufeff": "\\uFEFF",
  };
  return named[letter] ?? `\\x${letter.charCodeAt(0).toString(16)}`;
}

/** Converts comments that sops stores as list items back to YAML comments. */
function restoreListComments(document: Tree["document"]): void {
  visit(document, {
    Seq: (_, list) => {
      let pending: string[] = [];
      const items: unknown[] = [];
      for (const item of list.items) {
        if (isScalar(item) && item.value instanceof ListComment) pending.push(item.value.text);
        else {
          if (pending.length > 0 && isNode(item))
            item.commentBefore = [...pending, ...(item.commentBefore ? [item.commentBefore] : [])].join("\n");
          pending = [];
          items.push(item);
        }
      }
      if (pending.length > 0) list.comment = [...pending, ...(list.comment ? [list.comment] : [])].join("\n");
      list.items = items;
    },
  });
}

/**
 * Converts metadata to YAML nodes. Strings are written without quotes if possible. Strings with several lines, such as
 * armored keys, are written as literal blocks.
 */
function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) {
    const list = new YAMLSeq();
    list.items = value.map(nodeOf);
    return list;
  }
  if (typeof value === "object" && value !== null) {
    const map = new YAMLMap();
    map.items = Object.entries(value).map(([key, item]) => new Pair(plain(key), nodeOf(item)));
    return map;
  }
  const text = String(value ?? "");
  const scalar = plain(text);
  if (typeof value === "string")
    scalar.type = text.includes("\n") ? "BLOCK_LITERAL" : plainly.test(text) ? "PLAIN" : "QUOTE_DOUBLE";
  return scalar;
}

/** Matches strings in the metadata that need no quotes: names, versions, ciphertexts, most regular expressions. */
const plainly = /^[A-Za-z^(][^#:\s]*$|^\d+\.\d+\.\d+$|^ENC\[|^https:\/\/[^\s#]+$/;

function plain(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = "PLAIN";
  return scalar;
}

/** Formats JSON as sops does: indented by tabs, with keys in their original order. */
function json(node: unknown, margin: string): string {
  const deeper = `${margin}\t`;
  if (isMap(node))
    return block(
      "{}",
      node.items.map(({ key, value }) => `${JSON.stringify((key as Scalar).value)}: ${json(value, deeper)}`),
      margin,
    );
  if (isSeq(node))
    return block(
      "[]",
      node.items.map((item) => json(item, deeper)),
      margin,
    );
  const { value, type } = node as Scalar;
  const raw = type === "PLAIN" && /^(-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|true|false|null)$/.test(String(value));
  return raw ? String(value) : JSON.stringify(value);
}

function block(brackets: string, items: readonly string[], margin: string): string {
  if (items.length === 0) return brackets;
  return `${brackets[0]}\n${items.map((item) => `${margin}\t${item}`).join(",\n")}\n${margin}${brackets[1]}`;
}
