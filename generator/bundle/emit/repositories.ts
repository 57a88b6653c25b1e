import type { ChartRepository } from "../../catalog/repositories.ts";
import { type Model, releaseOf } from "../../components/model.ts";
import { compareText } from "../../system/text.ts";

/** The chart repositories of a model's releases, without duplicates, sorted by name. */
export function repositoriesOf({ components }: Model): ChartRepository[] {
  const releases = components.map(releaseOf).filter((release) => release !== null);
  const byName = new Map(releases.map(({ repository }) => [repository.name, repository]));
  return [...byName.values()].sort((a, b) => compareText(a.name, b.name));
}
