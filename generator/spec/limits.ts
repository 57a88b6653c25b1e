import { type Document, isMap, isPair, isScalar, isSeq, type Node, type Scalar } from "yaml";

/*
 * What is refused before anything looks at the meaning of a file. Real specs are far below these limits;
 * beyond them parsers and validators become slow or run out of stack.
 */

/** Largest spec that is read, in bytes. */
export const maxFileBytes: number = 1024 * 1024;
/** Deepest nesting. The schema needs 7 levels. */
export const maxDepth = 64;
/** Most keys and values. The sample environments have about a hundred. */
export const maxNodes = 5000;
/** Most aliases that are resolved, counted as the `yaml` library does. */
export const maxAliases = 100;
/** Most findings that are told of one file. */
export const maxFindings = 50;

/** Offset at which nesting passes the limit, judged by brackets and dashes before the recursive parser runs; null where it does not. */
export function tooDeepAt(text: string): number | null {
  let brackets = 0;
  let dashes = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    const character = text[offset];
    if (character === "[" || character === "{") brackets += 1;
    else if (character === "]" || character === "}") brackets = Math.max(0, brackets - 1);
    else if (character === "\n") dashes = 0;
    else if ((character === "-" || character === "?") && text[offset + 1] === " ") dashes += 1;
    if (brackets > maxDepth || dashes > maxDepth) return offset;
  }
  return null;
}

/** Walks a document without recursion: how many nodes it has (counted up to just above the limit), and which keys come twice in a map. */
export function inspect(document: Document): { nodes: number; duplicateKeys: Scalar[] } {
  const duplicateKeys: Scalar[] = [];
  const waiting: unknown[] = [document.contents];
  let nodes = 0;
  while (waiting.length > 0 && nodes <= maxNodes) {
    const node = waiting.pop() as Node | null;
    nodes += 1;
    if (isPair(node)) waiting.push(node.key, node.value);
    else if (isSeq(node)) for (const item of node.items) waiting.push(item);
    else if (isMap(node)) {
      const seen = new Set<string>();
      for (const pair of node.items) {
        waiting.push(pair);
        if (!isScalar(pair.key) || pair.key.source === "<<") continue;
        const key = String(pair.key.value);
        if (seen.has(key)) duplicateKeys.push(pair.key);
        seen.add(key);
      }
    }
  }
  return { nodes, duplicateKeys };
}
