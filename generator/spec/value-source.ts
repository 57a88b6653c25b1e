import type { Source } from "../diagnostics/source.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { parseSource } from "./parse.ts";

/**
 * Converts a value to the source of a file, for callers that have the value but not the text that it was parsed from.
 */
export function sourceOf(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
