import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Environment } from "../../../generator/spec/environment.generated.ts";
import { generateIn, makePlatform, testIdentity, writeTree } from "../../support/platform.ts";
import { loadFiles } from "../../support/specs.ts";
import { projectRoot, run } from "../../support/tools.ts";

/** A platform repository under Git, with the sample environment dev and the keys of the test run. */
export interface Platform {
  readonly root: string;
  environment: Environment;
}

const sample = (name: string): string => readFileSync(join(projectRoot, `environments/${name}.yaml`), "utf8");

/** @param change laid over the sample's spec, two levels deep; see `edit` */
export async function makeGitPlatform(change: SpecChange = {}, name: string = "dev"): Promise<Platform> {
  const root = makePlatform({ base: sample("base"), [name]: sample(name) });
  cpSync(join(projectRoot, ".gitignore"), join(root, ".gitignore"));
  await run("git", ["init", "--quiet", "--initial-branch=main", root]);
  const platform: Platform = { root, environment: environmentIn(root, name) };
  await edit(platform, change);
  return platform;
}

type SpecChange = Readonly<Record<string, unknown>>;

/** Changes the environment's spec as a person would, in its file, and generates; nothing is committed. */
export async function edit(platform: Platform, change: SpecChange): Promise<void> {
  const { name } = platform.environment.metadata;
  const { parse } = await import("yaml");
  const path = `environments/${name}.yaml`;
  const document = parse(readFileSync(join(platform.root, path), "utf8")) as { spec: Record<string, unknown> };
  document.spec = merge(document.spec, change) as Record<string, unknown>;
  writeTree(platform.root, { [path]: stringify(document) });
  if ((await generateIn(platform.root, {}, [name])) !== 0) throw new Error(`generate ${name} failed`);
  platform.environment = environmentIn(platform.root, name);
}

/** The keys of the cluster and the administrator, for commands that decrypt. */
export function ageKeys(): Record<string, string> {
  const { clusterKey, adminKey } = testIdentity();
  return { SOPS_AGE_KEY: `${clusterKey}\n${adminKey}` };
}

function environmentIn(root: string, name: string): Environment {
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
