import { expect } from "vitest";
import { loadFiles } from "./specs.ts";

/** Loads a text as a spec; whatever comes, an answer comes, and soon. */
export function answer(text: string): void {
  const started = performance.now();
  const { environment, diagnostics } = loadFiles({ test: text }, "test");
  // Linear in the size: a megabyte of the worst takes some seconds, and what took minutes before would fail here.
  expect(performance.now() - started).toBeLessThan(2000 + text.length / 50);
  if (environment === null) expect(diagnostics.length).toBeGreaterThan(0);
  for (const { line, column, message } of diagnostics) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(text.split("\n").length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe("");
  }
}
