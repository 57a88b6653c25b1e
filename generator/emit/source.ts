import { parseSource } from "../spec/parse.ts";
import type { Source } from "../spec/source.ts";
import { toYaml } from "./yaml.ts";

/** A value as if it stood in a file of its own, for whoever is handed values and not the text that they were written in. */
export function sourceOf(value: unknown, file: string): Source {
  return parseSource(file, toYaml([value]));
}
