import type { Source } from "../diagnostics/source.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { parseSource } from "./parse.ts";

/**
 * Converts a value to the source of a file. Callers use this function if they do not have the text from which the value
 * was parsed.
 */
export function valueSource(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
