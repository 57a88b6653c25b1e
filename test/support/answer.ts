import { expect } from "vitest";
import { loadFiles } from "./specs.ts";

/**
 * Loads any text as a spec. Checks that the result is an environment, or findings whose positions are inside the text.
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
