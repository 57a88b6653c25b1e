import { type Alias, type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node } from "yaml";
import type { DiagnosticCode } from "../diagnostics/diagnostic.ts";
import { maxDepth, maxNodes } from "../diagnostics/limits.ts";

/**
 * A problem in a document without syntax errors. The problem is a YAML construct that meshops does not allow in a spec.
 */
export interface YamlProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly fix: string | null;
  readonly node: Node;
}

type Visit = { readonly enter: unknown; readonly depth: number } | { readonly leave: Node };

/**
 * Walks through a document in order and without recursion. Finds duplicate keys, aliases without an anchor, aliases
 * that contain themselves, merge keys that do not merge a map, and documents that are too large or nested too deeply.
 * The YAML library is not used for these checks, for two reasons. To find duplicate keys, the library compares every
 * key with every other key. The library finds the other problems only when it converts a document to plain data, and
 * then does not report their positions.
 */
export function inspect(document: Document): YamlProblem[] {
  const problems: YamlProblem[] = [];
  const anchors = new Map<string, Node>();
  const open = new Set<Node>();
  const steps: Visit[] = [{ enter: document.contents, depth: 1 }];
  for (let nodes = 0; ; nodes += 1) {
    const step = steps.pop();
    if (step === undefined) return problems;
    if ("leave" in step) {
      open.delete(step.leave);
      continue;
    }
    const node = step.enter as Node;
    if (nodes > maxNodes)
      return [
        problem(
          "file-too-large",
          `the file contains more than ${maxNodes} keys and values`,
          node,
          "move some of the settings to a base spec, and set spec.extends to the name of the base spec",
        ),
      ];
    if (step.depth > maxDepth) return [problem("yaml-too-deep", `the file is nested deeper than ${maxDepth} levels`, node, null)];
    if (isAlias(node)) problems.push(...checkAlias(node, anchors, open));
    if (!isMap(node) && !isSeq(node) && !isPair(node)) {
      if (isScalar(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
      continue;
    }
    if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      open.add(node);
      steps.push({ leave: node });
    }
    if (isMap(node)) problems.push(...checkKeys(node.items, anchors));
    const below: unknown[] = isPair(node) ? [node.key, node.value] : node.items;
    const depth = isPair(node) ? step.depth : step.depth + 1;
    for (const enter of [...below].reverse()) if (enter !== null && enter !== undefined) steps.push({ enter, depth });
  }
}

function checkAlias(alias: Alias, anchors: ReadonlyMap<string, Node>, open: ReadonlySet<Node>): YamlProblem[] {
  const target = anchors.get(alias.source);
  if (target === undefined)
    return [problem("yaml-alias", `the anchor &${alias.source} is not defined before this alias`, alias, null)];
  return open.has(target)
    ? [problem("yaml-alias", `the alias *${alias.source} contains itself`, alias, "replace the alias with its value")]
    : [];
}

function checkKeys(pairs: readonly { key: unknown; value: unknown }[], anchors: ReadonlyMap<string, Node>): YamlProblem[] {
  const seen = new Set<string>();
  return pairs.flatMap(({ key, value }) => {
    if (!isScalar(key)) return [];
    if (key.source === "<<")
      return mergesMaps(value, anchors)
        ? []
        : [problem("yaml-alias", "the merge key << requires a map or a list of maps", key, null)];
    const name = String(key.value);
    if (seen.has(name))
      return [problem("yaml-duplicate-key", `this map already contains the key "${name}"`, key, "remove one of the two keys")];
    seen.add(name);
    return [];
  });
}

function mergesMaps(value: unknown, anchors: ReadonlyMap<string, Node>): boolean {
  if (isSeq(value)) return value.items.every((item) => !isSeq(item) && mergesMaps(item, anchors));
  return isMap(isAlias(value) ? anchors.get(value.source) : value);
}

function problem(code: DiagnosticCode, message: string, node: Node, fix: string | null): YamlProblem {
  return { code, message, fix, node };
}
