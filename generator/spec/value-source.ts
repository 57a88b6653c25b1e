import type { Source } from "../diagnostics/source.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { parseSource } from "./parse.ts";

/** A value as if it stood in a file of its own, for whoever is handed values and not the text that they were written in. */
export function sourceOf(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
