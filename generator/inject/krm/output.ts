import { type Edit, spliceOne } from "../../kubernetes/splice.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import type { ResourceList } from "./resource-list.ts";
import type { Result } from "./result.ts";

/**
 * Response of a KRM function: the ResourceList for stdout as text, its results, and whether one of the results is an
 * error.
 */
export interface Answer {
  readonly text: string;
  readonly results: readonly Result[];
  readonly failed: boolean;
}

/**
 * Returns the response with the given results. Applies the edits to the text of the list, unless one of the results is
 * an error.
 */
export function answer({ document, text }: ResourceList, results: readonly Result[], edits: readonly Edit[] = []): Answer {
  const failed = results.some(({ severity }) => severity === "error");
  const all: Edit[] = [
    ...(failed ? [] : edits),
    ...(results.length > 0 ? [{ op: "set", path: ["results"], value: results } as const] : []),
  ];
  return { text: spliceOne(document, text, all), results, failed };
}

/** Returns the response to an invalid ResourceList: a ResourceList with the results and without items. */
export function refuse(results: readonly Result[]): Answer {
  return {
    text: toYaml([{ apiVersion: "config.kubernetes.io/v1", kind: "ResourceList", items: [], results }]),
    results,
    failed: true,
  };
}
