import { toYaml } from "../emit/yaml.ts";
import { parseSource } from "../spec/parse.ts";
import type { Source } from "../spec/source.ts";

/** A part of the list as if it stood in a file of its own: orchestrators hand over values, not the text that they were written in. */
export function sourceOf(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
