import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { diagnosticAtPath, type Path, type Source } from "../diagnostics/source.ts";
import { didYouMean } from "../diagnostics/suggest.ts";
import { asMap, isMap } from "../system/data.ts";
import { type MergeLeaf, mergeDeep } from "../system/merge.ts";
import { isEnvironmentName } from "./name.ts";

/** Reads the file of an environment. Returns null if the file does not exist. */
export type ReadSource = (name: string) => Source | null;

/** An environment file and the files that it extends, directly or indirectly. */
export interface Chain {
  /** The environment's own file is last. The file that does not extend another file is first. */
  readonly sources: readonly [...Source[], Source];
  /** Findings about `spec.extends`, such as a cycle or a missing file. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Follows `spec.extends` from a file to the file that does not extend another file. `names` contains the environments
 * that are already in the chain. If the file extends one of these environments, the chain is a cycle.
 *
 * @param known names of existing environments. If the extended environment does not exist, the finding suggests a
 *   similar name from this list
 */
export function chainOf(own: Source, read: ReadSource, names: readonly string[], known: readonly string[]): Chain {
  const base = baseOf(own);
  if (base === null) return { sources: [own], diagnostics: [] };
  const stop = (code: "extends-cycle" | "extends-missing", message: string, fix: string): Chain => {
    const statement = { code, severity: "error", message, expected: null, fix } as const;
    return { sources: [own], diagnostics: [diagnosticAtPath(own, ["spec", "extends"], "value", statement)] };
  };
  if (names.includes(base))
    return stop(
      "extends-cycle",
      `environments extend each other in a cycle: ${[...names, base].join(" → ")}`,
      base === names[0] && names.length === 1
        ? `set spec.extends to another spec. If ${base} is complete without a base, remove spec.extends`
        : "remove spec.extends from one of these environments",
    );
  const parent = read(base);
  if (parent === null)
    return stop(
      "extends-missing",
      `spec.extends is "${base}", but environments/${base}.yaml does not exist`,
      didYouMean(
        base,
        known.filter((name) => !names.includes(name)),
      ) ?? "set spec.extends to the name of a file in environments/, without .yaml",
    );
  const { sources, diagnostics } = chainOf(parent, read, [...names, base], known);
  return { sources: [...sources, own], diagnostics };
}

/**
 * Returns the name in `spec.extends`; null if the field is missing, or if its value is not a valid name. The schema
 * validation reports invalid values.
 */
function baseOf(source: Source): string | null {
  const base = asMap(asMap(source.value)["spec"])["extends"];
  return typeof base === "string" && isEnvironmentName(base) ? base : null;
}

/**
 * An environment that was merged from a chain of files, and the file from which each value of the environment comes.
 */
export interface Merged {
  readonly value: Record<string, unknown>;
  /**
   * Returns the last file that sets a value. Returns null if no file sets the value, for example if the value is a
   * default.
   */
  originOf(path: Path): Source | null;
}

/**
 * Merges the files of a chain. Maps are merged key by key, all other values are replaced, and `null` removes a key.
 * Below `spec.components.<name>.values` and `spec.workloads.<name>.values`, `null` is kept as a chart value.
 * `metadata`, `spec.abstract` and `spec.extends` apply only to the file that contains them, and are not inherited.
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
      // A list is replaced as a whole, so all its items are in the same file.
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

/**
 * Whether a path leads to a chart value. A chart value that is null is kept, because Helm then removes the default
 * value of the chart.
 */
function isBelowValues(path: readonly string[]): boolean {
  const [spec, section, , values] = path;
  return spec === "spec" && (section === "components" || section === "workloads") && values === "values" && path.length > 4;
}

/**
 * Merges a layer over a base. A null in the layer removes a key, except in chart values. Calls `touch` with the JSON
 * pointer of every value that is set or removed.
 */
function merge(
  base: Record<string, unknown>,
  layer: Record<string, unknown>,
  touch: (pointer: string, wrote: boolean) => void,
): Record<string, unknown> {
  const leaf: MergeLeaf = (below, value, path) => {
    const pointer = pointerOf(path);
    if (!isMap(value)) {
      const kept = value !== null || isBelowValues(path);
      touch(pointer, kept);
      return kept ? value : undefined;
    }
    if (below !== undefined) touch(pointer, false);
    return mergeDeep({}, value, leaf, path);
  };
  return mergeDeep(base, layer, leaf);
}
