/** Settings of a new repository, from the prompts or the options of `meshops init`. */
export interface Answers {
  /** Name of the platform; part of the names of the Azure resources. */
  readonly name: string;
  /** `aks`: bootstrap creates an AKS cluster; `own`: use an existing cluster. */
  readonly cluster: "aks" | "own";
  readonly environments: readonly [string, ...string[]];
  /** URL of the repository, as Flux clones it. */
  readonly url: string;
  readonly branch: string;
}

/** Converts the name of a folder to one that Azure and npm accept; `platform` if no valid character is left. */
export function platformName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 40);
  return name === "" ? "platform" : name;
}
