import { type ChartRepository, isOci } from "../../catalog/repositories.ts";
import { type Model, releaseOf } from "../../components/model.ts";
import { compareText } from "../../system/text.ts";

/**
 * Returns the Helm chart repositories of a model's releases, sorted by name and without duplicates. Omits OCI
 * registries.
 */
export function repositoriesOf({ components }: Model): ChartRepository[] {
  const repositories = components.flatMap((component) => releaseOf(component)?.repository ?? []);
  const byName = new Map(repositories.flatMap((each) => (isOci(each) ? [] : [[each.name, each] as const])));
  return [...byName.values()].sort((a, b) => compareText(a.name, b.name));
}
