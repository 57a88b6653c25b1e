/** Settings of a new repository, from the options of `meshops init` or from the answers of the user. */
export interface Answers {
  /** Name of the platform. The names of the Azure resources contain this name. */
  readonly name: string;
  /**
   * `aks` means that `meshops bootstrap` creates an AKS cluster. `own` means that the user provides existing clusters.
   */
  readonly cluster: "aks" | "own";
  readonly environments: readonly [string, ...string[]];
  /** URL that Flux uses to clone the repository. */
  readonly url: string;
  readonly branch: string;
  /**
   * Path of the new repository inside a Git repository. The path is `.` if the new repository is the root of a Git
   * repository, or if it is not inside a Git repository.
   */
  readonly path: string;
  /** The test client that `meshops verify` uses. Null if the new repository does not contain the test client. */
  readonly client: TestClient | null;
  /** Whether the environments have a database. */
  readonly database: boolean;
  /** Whether another tool installs Linkerd. */
  readonly existingLinkerd: boolean;
}

/** The test client of a repository. */
interface TestClient {
  /** Name of the image, without a tag. Null if `meshops bootstrap` builds the image in the environment's registry. */
  readonly image: string | null;
}

/** Tag of the test client's image in the specs of a new repository. */
export const clientTag = "1.0.0";

/**
 * Converts the name of a folder to a name that Azure and npm accept. If the name contains no valid characters, returns
 * `platform`.
 */
export function platformName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 40);
  return name === "" ? "platform" : name;
}
