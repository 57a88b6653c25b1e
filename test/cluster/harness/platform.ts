import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Environment } from "../../../generator/spec/environment.generated.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity, writeTree } from "../../support/platform.ts";
import { clientImage, loadFiles } from "../../support/specs.ts";
import { projectRoot, run } from "../../support/tools.ts";

/**
 * A platform repository in Git. Its environment `own` is the sample environment dev with two changes: it runs on a
 * cluster outside Azure, and it uses the age keys of the test run. `gitops.flux.manifests` is a file with Deployments
 * of Flux's controllers. kwok simulates the pods of these Deployments, and the real kustomize-controller runs as a
 * process outside the cluster.
 */
export interface Platform {
  readonly root: string;
  environment: Environment;
}

const sample = (name: string): string => readFileSync(join(projectRoot, `environments/${name}.yaml`), "utf8");

/**
 * Creates a platform repository with the environment `own`, and generates its files.
 *
 * @param change fields that are merged over the sample's spec
 * @param folder path of the platform folder in the Git repository
 */
export async function makeGitPlatform(change: SpecChange = {}, folder: string = "."): Promise<Platform> {
  const name = "own";
  const made = makePlatform({ base: sample("base"), [name]: sample("dev").replace("name: dev", `name: ${name}`) });
  const top = folder === "." ? made : scratchFolder("git");
  const root = join(top, folder);
  if (root !== top) cpSync(made, root, { recursive: true });
  writeTree(root, {
    ".gitignore": "install.yaml\n",
    "install.yaml": fluxManifests,
  });
  await run("git", ["init", "--quiet", "--initial-branch=main", top]);
  const platform: Platform = { root, environment: environmentIn(root, name) };
  const own = { azure: null, gitops: { flux: { manifests: "./install.yaml" } }, pydgraphClient: { image: clientImage } };
  await edit(platform, merge(own, change) as SpecChange);
  return platform;
}

/**
 * Deployments of Flux's controllers, as in Flux's install manifests. They contain only the fields that scripts read and
 * change.
 */
const fluxDeployments = ["kustomize-controller", "helm-controller"].map((name) => {
  const labels = { app: name, "app.kubernetes.io/version": "v2.9.6" };
  const container = { name: "manager", image: `ghcr.io/fluxcd/${name}:v1.9.6`, args: ["--watch-all-namespaces=true"] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "flux-system", labels },
    spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels }, spec: { containers: [container] } } },
  };
});

/** A manifest file in place of Flux's install manifests. It contains only `fluxDeployments`. */
export const fluxManifests: string = fluxDeployments.map((each) => stringify(each)).join("---\n");

type SpecChange = Readonly<Record<string, unknown>>;

/** Edits the spec file of the environment, as a user does, and runs `generate`. Does not commit the changes. */
export async function edit(platform: Platform, change: SpecChange): Promise<void> {
  const { name } = platform.environment.metadata;
  const path = `environments/${name}.yaml`;
  const document = parse(readFileSync(join(platform.root, path), "utf8")) as { spec: Record<string, unknown> };
  document.spec = merge(document.spec, change) as Record<string, unknown>;
  writeTree(platform.root, { [path]: stringify(document) });
  if ((await generateIn(platform.root, {}, [name])) !== 0) throw new Error(`generate ${name} failed`);
  platform.environment = environmentIn(platform.root, name);
}

/**
 * Returns environment variables that commands need to decrypt files. The variables contain the age keys of the cluster
 * and of the administrators.
 */
export function ageKeys(): Record<string, string> {
  const { clusterKey, adminKey } = testIdentity();
  return { SOPS_AGE_KEY: `${clusterKey}\n${adminKey}` };
}

/** Loads the spec of an environment from a repository. The spec may extend `base`, but no other spec. */
export function environmentIn(root: string, name: string): Environment {
  const read = (file: string): string => readFileSync(join(root, `environments/${file}.yaml`), "utf8");
  const { environment, diagnostics } = loadFiles({ base: read("base"), [name]: read(name) }, name);
  if (environment === null) throw new Error(JSON.stringify(diagnostics));
  return environment;
}

function merge(base: unknown, change: unknown): unknown {
  if (typeof base !== "object" || typeof change !== "object" || base === null || change === null || Array.isArray(change))
    return change;
  const both = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(change)) both[key] = merge(both[key], value);
  return both;
}
