import { type Edit, spliceOne } from "../../kubernetes/splice.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import type { ResourceList } from "./resource-list.ts";
import type { Result } from "./result.ts";

/** Response of a KRM function: text for stdout, results, and whether the function failed. */
export interface Answer {
  readonly text: string;
  readonly results: readonly Result[];
  readonly failed: boolean;
}

/** Returns the list with its results. If a result is an error, the items are not changed. */
export function answer({ document, text }: ResourceList, results: readonly Result[], edits: readonly Edit[] = []): Answer {
  const failed = results.some(({ severity }) => severity === "error");
  const all: Edit[] = [
    ...(failed ? [] : edits),
    ...(results.length > 0 ? [{ op: "set", path: ["results"], value: results } as const] : []),
  ];
  return { text: spliceOne(document, text, all), results, failed };
}

/** Response to an invalid ResourceList: an empty list with results. */
export function refuse(results: readonly Result[]): Answer {
  return {
    text: toYaml([{ apiVersion: "config.kubernetes.io/v1", kind: "ResourceList", items: [], results }]),
    results,
    failed: true,
  };
}
