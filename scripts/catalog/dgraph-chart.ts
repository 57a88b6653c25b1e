import type { DgraphChartData } from "../../generator/catalog/dgraph-chart.ts";
import { at } from "../../generator/kubernetes/object-fields.ts";
import type { DerivedChart } from "./chart-facts.ts";

/**
 * Returns the catalog entry for the given version of Dgraph's chart. Copies the field `api` from the entry `nearest`.
 */
export function deriveDgraphChart({ facts, values }: DerivedChart, nearest: DgraphChartData): DgraphChartData {
  const [, major = ""] = /^v(\d+)/.exec(facts.appVersion) ?? [];
  return {
    version: facts.version,
    appVersion: facts.appVersion,
    dataFormat: `v${major}`,
    api: nearest.api,
    traits: {
      podAnnotations: at(values, "alpha", "extraAnnotations") === undefined ? "patch" : "value",
      rendersNamespace: facts.rendersNamespace,
      serviceAccount: facts.objects["v1 ServiceAccount"] === undefined ? "default" : "dgraph",
    },
  };
}
