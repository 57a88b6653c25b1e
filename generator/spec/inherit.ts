import type { Path, Source } from "./source.ts";

/** An environment merged from its file and the files that it extends, and where each part comes from. */
export interface Merged {
  readonly value: Record<string, unknown>;
  /** The file that a path's value was last written in: the file itself, or one of its bases. */
  originOf(path: Path): Source;
}

/**
 * Merges a chain of files, the most basic first. Maps are merged key by key, everything else is replaced,
 * `null` deletes. `metadata`, `spec.abstract` and `spec.extends` belong to each file and are not inherited.
 */
export function mergeChain(chain: readonly Source[]): Merged {
  const origins = new Map<string, Source>();
  const own = chain.at(-1);
  if (own === undefined) throw new Error("an environment has at least its own file");
  let value: Record<string, unknown> = {};
  for (const source of chain) {
    const layer = source === own ? asMap(source.value) : inheritable(asMap(source.value));
    value = merge(value, layer, [], (path) => origins.set(path.join("\0"), source));
  }
  return {
    value,
    originOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const origin = origins.get(path.slice(0, length).join("\0"));
        if (origin !== undefined) return origin;
      }
      return own;
    },
  };
}

function inheritable(file: Record<string, unknown>): Record<string, unknown> {
  const { metadata: _, spec, ...rest } = file;
  const { abstract: __, extends: ___, ...inherited } = asMap(spec);
  return { ...rest, spec: inherited };
}

function merge(
  base: Record<string, unknown>,
  layer: Record<string, unknown>,
  path: Path,
  wrote: (path: Path) => void,
): Record<string, unknown> {
  const out = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(layer)) {
    const here = [...path, key];
    if (value === null) out.delete(key);
    else if (isMap(value)) {
      const below = out.get(key);
      if (!isMap(below)) wrote(here);
      out.set(key, merge(isMap(below) ? below : {}, value, here, wrote));
    } else {
      wrote(here);
      out.set(key, value);
    }
  }
  return Object.fromEntries(out);
}

function asMap(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
