import { facts } from "./chart-facts.generated.ts";
import type { ChartFacts } from "./chart-facts.ts";

/** Returns the facts about a version of a chart; null if the catalog does not contain this version. */
export function chartFacts(chart: string, version: string): ChartFacts | null {
  return facts.find((each) => each.chart === chart && each.version === version) ?? null;
}
