import { describe, expect, test } from "vitest";
import { maxDepth, tooDeepAt } from "../../generator/diagnostics/limits.ts";

describe("nesting is judged by what YAML reads as nesting", () => {
  const many = maxDepth + 1;

  test.each([
    ["brackets", "[".repeat(many), maxDepth],
    ["braces", `a: ${"{b: ".repeat(many)}`, "a: ".length + maxDepth * "{b: ".length],
    ["lists in lists on a line", "- ".repeat(many), maxDepth * 2],
    ["complex keys", "? ".repeat(many), maxDepth * 2],
    ["brackets whose likes are closed in texts", '["]", '.repeat(many), maxDepth * '["]", '.length],
    ["brackets behind others that close nothing", `${"]".repeat(many)}\n${"[".repeat(many)}`, many + 1 + maxDepth],
    ["the second document", `a: b\n---\n${"[".repeat(many)}`, "a: b\n---\n".length + maxDepth],
  ])("%s", (_, text, offset) => {
    expect(tooDeepAt(text)).toBe(offset);
  });

  test.each([
    ["a script with colours", `run: |\n${"  echo -e '\\033[31m'\n".repeat(many)}`],
    ["texts with brackets", "- '['\n".repeat(many)],
    ["a sign of a comment in a text, before what closes", `[${'{"a": "b #"}, '.repeat(many)}]`],
    ["comments with brackets", "# [\n".repeat(many)],
    ["documents that each open one", "a: [b]\n---\n".repeat(many)],
    ["lines that each leave one open", Array.from({ length: many }, (_, i) => `k${i}: [a\n`).join("")],
    ["a long list", "- a\n".repeat(many)],
    ["as many as may be", "[".repeat(maxDepth) + "]".repeat(maxDepth)],
  ])("but not %s", (_, text) => {
    expect(tooDeepAt(text)).toBeNull();
  });
});
