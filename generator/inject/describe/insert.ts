import { isMap, isScalar, type Pair, type ParsedNode } from "yaml";
import { asKubectl, parseDocuments } from "../../kubernetes/documents.ts";

/**
 * Reason why a block cannot be inserted. `exists` means that the spec already contains the workload. `not-a-block`
 * means that `spec` or `spec.workloads` is not a map in YAML's block style.
 */
export type InsertProblem = "exists" | "not-a-block";

/**
 * Inserts the block of a workload into `spec.workloads` in the text of a spec. Returns the new text, or the reason why
 * the block cannot be inserted. The rest of the text does not change.
 *
 * @param block lines of the block, as `blockOf` returns them
 */
export function insertWorkload(text: string, name: string, block: readonly string[]): string | InsertProblem {
  const [document] = parseDocuments(text, asKubectl);
  const spec = pairIn(document?.contents, "spec");
  if (!isMap<ParsedNode, ParsedNode>(spec?.value) || spec.value.flow === true) return "not-a-block";
  const workloads = pairIn(spec.value, "workloads");
  if (workloads === undefined) {
    const indent = columnOf(text, spec.value.items[0]);
    return indent === null
      ? "not-a-block"
      : splice(text, endOf(text, document?.contents, "spec"), ["workloads:", ...indented(block, 2)], indent);
  }
  if (!isMap<ParsedNode, ParsedNode>(workloads.value) || workloads.value.flow === true) return "not-a-block";
  if (pairIn(workloads.value, name) !== undefined) return "exists";
  // Insert the block directly below the key `workloads`, before the other workloads, so that comments above these
  // workloads stay above them.
  const indent = columnOf(text, workloads.value.items[0]);
  return indent === null ? "not-a-block" : splice(text, lineEnd(text, startOf(workloads) ?? 0), block, indent);
}

type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

function pairIn(node: unknown, key: string): ParsedPair | undefined {
  if (!isMap<ParsedNode, ParsedNode>(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && pair.key.value === key) as ParsedPair | undefined;
}

function startOf(pair: ParsedPair | undefined): number | null {
  return pair?.key.range[0] ?? null;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** Returns the column of the key of an entry. Returns null if the entry is undefined. */
function columnOf(text: string, pair: ParsedPair | undefined): number | null {
  const start = startOf(pair);
  return start === null ? null : start - lineStart(text, start);
}

/**
 * Returns the offset at which the value of a top-level key ends. This offset is the start of the line with the next
 * top-level key. If no top-level key follows, the offset is the end of the text.
 */
function endOf(text: string, contents: unknown, key: string): number {
  if (!isMap<ParsedNode, ParsedNode>(contents)) return text.length;
  const index = contents.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
  const next = startOf(contents.items[index + 1] as ParsedPair | undefined);
  return next === null ? text.length : lineStart(text, next);
}

function indented(lines: readonly string[], spaces: number): string[] {
  return lines.map((line) => `${" ".repeat(spaces)}${line}`);
}

function splice(text: string, offset: number, lines: readonly string[], indent: number): string {
  const before = text.slice(0, offset);
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  return `${before}${gap}${indented(lines, indent).join("\n")}\n${text.slice(offset)}`;
}
