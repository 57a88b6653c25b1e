import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { newIdentity } from "../../generator/identity/files.ts";
import { openVault } from "../../generator/workspace/vault.ts";
import { environmentOf, testKeys } from "./specs.ts";
import { projectRoot } from "./tools.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder for the run, removed afterwards. */
    scratch: string;
    /** An identity that every release can use, made for this run. */
    identity: TestIdentity;
  }
}

/** Files of an environment named `test`, and the age keys that open them. */
export interface TestIdentity {
  readonly files: Readonly<Record<string, string>>;
  readonly clusterKey: string;
  readonly adminKey: string;
  readonly clusterRecipient: string;
  readonly adminRecipient: string;
}

export async function setup(project: TestProject): Promise<() => void> {
  // Tests of the command line run what is shipped.
  execFileSync("npm", ["run", "--silent", "build"], { cwd: projectRoot, stdio: "inherit" });
  const scratch = mkdtempSync(join(tmpdir(), "meshops-test-"));
  project.provide("scratch", scratch);
  project.provide("identity", await makeTestIdentity());
  return () => rmSync(scratch, { recursive: true, force: true });
}

async function makeTestIdentity(): Promise<TestIdentity> {
  // The oldest release has every webhook there is.
  const environment = environmentOf({
    linkerd: { version: "stable-2.14.10", jaeger: { enabled: true } },
  });
  const now = new Date();
  return {
    files: Object.fromEntries(await newIdentity(environment, openVault(".", environment, [], now), now)),
    clusterKey: testKeys.cluster.identity,
    adminKey: testKeys.admin.identity,
    clusterRecipient: testKeys.cluster.recipient,
    adminRecipient: testKeys.admin.recipient,
  };
}
