import type { ChartRepository } from "../../catalog/repositories.ts";
import type { Model } from "../../components/model.ts";
import { compareText } from "../../system/text.ts";

/** The chart repositories that a model's releases come from, each once, sorted by name. */
export function repositoriesOf({ components }: Model): ChartRepository[] {
  const byName = new Map(
    components.flatMap(({ release }) => (release === null ? [] : [[release.repository.name, release.repository]])),
  );
  return [...byName.values()].sort((a, b) => compareText(a.name, b.name));
}
