import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { diagnosticAtPath, type Path, type Source } from "../diagnostics/source.ts";
import { asMap, isMap } from "../system/data.ts";
import { type MergeLeaf, mergeDeep } from "../system/merge.ts";
import { isEnvironmentName } from "./name.ts";

/** Reads the environment file of a name; null where there is none. */
export type ReadSource = (name: string) => Source | null;

/** A file and the files that it extends. */
export interface Chain {
  /** The most basic file first, the environment's own last. */
  readonly sources: readonly [...Source[], Source];
  /** What is wrong with the chain itself. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Follows `spec.extends` from a file to its last base. */
export function chainOf(own: Source, read: ReadSource, names: readonly string[]): Chain {
  const base = baseOf(own);
  if (base === null) return { sources: [own], diagnostics: [] };
  const stop = (code: "extends-cycle" | "extends-missing", message: string, fix: string): Chain => {
    const statement = { code, severity: "error", message, expected: null, fix } as const;
    return { sources: [own], diagnostics: [diagnosticAtPath(own, ["spec", "extends"], "value", statement)] };
  };
  if (names.includes(base))
    return stop(
      "extends-cycle",
      `environments extend each other in a circle: ${[...names, base].join(" → ")}`,
      "let one of them extend nothing",
    );
  const parent = read(base);
  if (parent === null)
    return stop(
      "extends-missing",
      `there is no environments/${base}.yaml to extend`,
      "name a file of the folder environments/ without its ending",
    );
  const { sources, diagnostics } = chainOf(parent, read, [...names, base]);
  return { sources: [...sources, own], diagnostics };
}

/** The name in `spec.extends`, where it has the form of a name; anything else is the schema's business. */
function baseOf(source: Source): string | null {
  const base = asMap(asMap(source.value)["spec"])["extends"];
  return typeof base === "string" && isEnvironmentName(base) ? base : null;
}

/** An environment merged from a chain, and where each part of it was written. */
export interface Merged {
  readonly value: Record<string, unknown>;
  /** The file that a value was last written in; null where no file writes it, as a default. */
  originOf(path: Path): Source | null;
}

/**
 * Merges a chain. Maps are merged key by key, everything else is replaced, `null` deletes.
 * `metadata`, `spec.abstract` and `spec.extends` belong to each file and are not inherited.
 */
export function mergeChain({ sources }: Chain): Merged {
  const origins = new Map<string, Source>();
  const own = sources.at(-1);
  let value: Record<string, unknown> = {};
  for (const source of sources) {
    const layer = source === own ? asMap(source.value) : inheritable(asMap(source.value));
    value = merge(value, layer, (pointer, wrote) => {
      for (const known of origins.keys()) if (known.startsWith(`${pointer}/`)) origins.delete(known);
      if (wrote) origins.set(pointer, source);
      else origins.delete(pointer);
    });
  }
  return {
    value,
    originOf: (path) => {
      // A list is written as a whole: its items are where it is.
      const list = path.findIndex((step) => typeof step === "number");
      return origins.get(pointerOf(list === -1 ? path : path.slice(0, list))) ?? null;
    },
  };
}

function pointerOf(path: Path): string {
  return path.map((step) => `/${step}`).join("");
}

function inheritable(file: Record<string, unknown>): Record<string, unknown> {
  const { metadata: _, spec, ...rest } = file;
  const { abstract: __, extends: ___, ...inherited } = asMap(spec);
  return { ...rest, spec: inherited };
}

/** Merges a layer over a base, in which null removes a key; `touch` is called for every value that is written or removed, by JSON pointer. */
function merge(
  base: Record<string, unknown>,
  layer: Record<string, unknown>,
  touch: (pointer: string, wrote: boolean) => void,
): Record<string, unknown> {
  const leaf: MergeLeaf = (below, value, path) => {
    const pointer = pointerOf(path);
    if (!isMap(value)) {
      touch(pointer, value !== null);
      return value ?? undefined;
    }
    if (below !== undefined) touch(pointer, false);
    return mergeDeep({}, value, leaf, path);
  };
  return mergeDeep(base, layer, leaf);
}
