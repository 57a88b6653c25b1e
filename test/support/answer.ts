import { expect } from "vitest";
import { loadFiles } from "./specs.ts";

/**
 * Loads a text as a spec. Expects that the result is an environment, or at least one finding. Expects that each finding
 * has a message, a line of the text, and a column of at least 1.
 */
export function answer(text: string): void {
  const { environment, diagnostics } = loadFiles({ test: text }, "test");
  if (environment === null) expect(diagnostics.length).toBeGreaterThan(0);
  for (const { line, column, message } of diagnostics) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(text.split("\n").length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe("");
  }
}
