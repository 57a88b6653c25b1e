/** What a new repository is for: what `meshops init` asks, or takes as flags. */
export interface Answers {
  /** Name of the platform: part of the names of what Azure makes. */
  readonly name: string;
  /** `aks`: meshops makes the cluster, too; `own`: there is one. */
  readonly cluster: "aks" | "own";
  readonly environments: readonly [string, ...string[]];
  /** URL of the repository, as Flux clones it. */
  readonly url: string;
  readonly branch: string;
}

/** A name that Azure and npm take, made of a folder's; `platform` where nothing of it is left. */
export function platformName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 40);
  return name === "" ? "platform" : name;
}
