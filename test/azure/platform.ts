import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { meshops } from "../support/cli.ts";
import { makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";
import { callsOf, loggedIn } from "./az.ts";
import { Cloud } from "./cloud.ts";

/** A stand-in for Azure, a platform repository, and the environment variables for the scripts. */
export interface Site {
  readonly cloud: Cloud;
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** Result of running a script. */
export interface Ended {
  /** Exit code; null if the script was killed. */
  readonly code: number | null;
  readonly stderr: string;
  /** Arguments of each call of az that the script made. */
  readonly calls: readonly string[][];
}

/** Fields of a spec that creates a resource group, a registry with mirrored images, and a cluster in Azure. */
export const onAzure: Record<string, unknown> = {
  azure: {
    location: "westus2",
    resourceGroup: "platform",
    registry: { name: "platform1", mirrorImages: true },
    cluster: { name: "platform-dev", zones: [1, 2] },
  },
  linkerd: { viz: { enabled: false } },
  pydgraphClient: { image: undefined },
};

/**
 * Starts a stand-in for Azure, and writes a platform repository with the environment `dev`.
 *
 * @param spec fields of the spec that are added to a small valid spec; see `specOf`
 */
export async function makeSite(spec: Record<string, unknown> = onAzure): Promise<Site> {
  const cloud = await Cloud.start();
  const root = makePlatform({ dev: specText(spec, "dev") });
  mkdirSync(join(root, "clients/pydgraph"), { recursive: true });
  writeFileSync(join(root, "clients/pydgraph/Dockerfile"), "FROM scratch\n");
  const keys = join(scratchFolder("keys"), "keys.txt");
  writeFileSync(keys, testIdentity().clusterKey, { mode: 0o600 });
  const az = await loggedIn(cloud);
  const env = {
    ...az.env,
    SOPS_AGE_KEY_FILE: keys,
    MESHOPS_CLI: join(projectRoot, "dist/cli.js"),
    MESHOPS_POLL_SECONDS: "0.2",
    MESHOPS_RETRY_SECONDS: "1",
  };
  const stop = async (): Promise<void> => {
    az.stop();
    await cloud.stop();
  };
  return { cloud, root, env, stop };
}

/** Runs `meshops bootstrap` or `meshops teardown`, which print a script. Returns the path of a file with the script. */
export async function printedScript(
  { root }: Pick<Site, "root">,
  command: "bootstrap" | "teardown",
  ...options: string[]
): Promise<string> {
  const { stdout, stderr, code } = await meshops(root, [command, "dev", ...options]);
  if (code !== 0) throw new Error(stderr);
  const path = join(scratchFolder("script"), `${command}.sh`);
  writeFileSync(path, stdout);
  return path;
}

/** Does the same as `printedScript`, but for a spec that is not in the platform repository of the site. */
export async function printedScriptOf(spec: Record<string, unknown>, command: "bootstrap" | "teardown"): Promise<string> {
  return printedScript({ root: makePlatform({ dev: specText(spec, "dev") }) }, command);
}

export interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  /** A program such as strace, with its arguments. The program starts bash. */
  readonly under?: readonly string[];
  /** Arguments of bash, before the script. */
  readonly bash?: readonly string[];
  /** Arguments of the script. */
  readonly words?: readonly string[];
}

/** Runs a script with bash in the root of the repository. The script and its children form a new process group. */
export function runScript(
  site: Site,
  script: string,
  { env = {}, under = [], bash = [], words = [] }: Circumstances = {},
): Promise<Ended> {
  const before = callsOf(site.env).length;
  return new Promise((resolve, reject) => {
    const [program = "bash", ...rest] = [...under, "bash", ...bash, script, ...words];
    const child = spawn(program, rest, {
      cwd: site.root,
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...site.env, ...env },
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr, calls: callsOf(site.env).slice(before) }));
  });
}
