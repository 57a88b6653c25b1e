import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newIdentity } from "../../generator/identity/files.ts";
import { openSecretStore } from "../../generator/identity/secret-store.ts";
import { environmentOf, testKeys } from "./specs.ts";

/**
 * Identity files of an environment with the name `test`, keyed by path, and the age keys that can decrypt these files.
 */
export interface TestIdentity {
  readonly files: Readonly<Record<string, string>>;
  readonly clusterKey: string;
  readonly adminKey: string;
  readonly clusterRecipient: string;
  readonly adminRecipient: string;
}

/** Data that all tests of a test run share. */
export interface Run {
  /** Folder for temporary files of the run. The folder is removed after the run. */
  readonly scratch: string;
  /** Identity that was created for this run. Environments with any Linkerd release can use this identity. */
  readonly identity: TestIdentity;
}

const variable = "MESHOPS_TEST_RUN";

/**
 * Creates the folder and the identity of a test run. This process and its child processes use them. Returns a function
 * that removes the folder.
 */
export async function beginRun(): Promise<() => void> {
  const scratch = mkdtempSync(join(tmpdir(), "meshops-test-"));
  writeFileSync(join(scratch, "identity.json"), JSON.stringify(await makeTestIdentity()), { mode: 0o600 });
  process.env[variable] = scratch;
  return () => rmSync(scratch, { recursive: true, force: true });
}

/** Returns the test run of this process. Throws if this process has no test run. */
export function thisRun(): Run {
  const scratch = process.env[variable];
  if (scratch === undefined) throw new Error("no run has begun");
  return { scratch, identity: JSON.parse(readFileSync(join(scratch, "identity.json"), "utf8")) as TestIdentity };
}

async function makeTestIdentity(): Promise<TestIdentity> {
  // The spec contains the oldest release, because this release has all webhooks that the other releases have.
  const environment = environmentOf({
    linkerd: { version: "stable-2.14.10", jaeger: { enabled: true } },
  });
  const now = new Date();
  return {
    files: Object.fromEntries(
      await newIdentity(environment, openSecretStore(".", environment, { identities: [], now, env: {} }), now),
    ),
    clusterKey: testKeys.cluster.identity,
    adminKey: testKeys.admin.identity,
    clusterRecipient: testKeys.cluster.recipient,
    adminRecipient: testKeys.admin.recipient,
  };
}
