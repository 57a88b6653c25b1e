import { describe, expect, test } from "vitest";
import { depthLimitOffset, maxDepth } from "../../generator/diagnostics/limits.ts";

describe("the depth limit, which counts only characters that YAML interprets as nesting,", () => {
  const many = maxDepth + 1;

  test.each([
    ["brackets", "[".repeat(many), maxDepth],
    ["braces", `a: ${"{b: ".repeat(many)}`, "a: ".length + maxDepth * "{b: ".length],
    ["lists in lists on one line", "- ".repeat(many), maxDepth * 2],
    ["complex keys", "? ".repeat(many), maxDepth * 2],
    ["brackets that are closed only inside strings", '["]", '.repeat(many), maxDepth * '["]", '.length],
    ["brackets after unmatched closing brackets", `${"]".repeat(many)}\n${"[".repeat(many)}`, many + 1 + maxDepth],
    ["brackets in the second document", `a: b\n---\n${"[".repeat(many)}`, "a: b\n---\n".length + maxDepth],
  ])("rejects %s at the first character that exceeds the limit", (_, text, offset) => {
    expect(depthLimitOffset(text)).toBe(offset);
  });

  test.each([
    ["a script with color codes", `run: |\n${"  echo -e '\\033[31m'\n".repeat(many)}`],
    ["strings with brackets", "- '['\n".repeat(many)],
    ["a # in a string, before the closing bracket", `[${'{"a": "b #"}, '.repeat(many)}]`],
    ["comments with brackets", "# [\n".repeat(many)],
    ["documents with one list each", "a: [b]\n---\n".repeat(many)],
    ["lines that each leave a bracket open", Array.from({ length: many }, (_, i) => `k${i}: [a\n`).join("")],
    ["a long list", "- a\n".repeat(many)],
    ["the maximum depth", "[".repeat(maxDepth) + "]".repeat(maxDepth)],
  ])("accepts %s", (_, text) => {
    expect(depthLimitOffset(text)).toBeNull();
  });
});
