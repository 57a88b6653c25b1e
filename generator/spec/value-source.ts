import type { Source } from "../diagnostics/source.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { parseSource } from "./parse.ts";

/** Converts a value to the source of a file, for callers that have a value and not the text that it was parsed from. */
export function sourceOf(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
