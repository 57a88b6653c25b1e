import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newIdentity } from "../../generator/identity/files.ts";
import { openSecretStore } from "../../generator/identity/secret-store.ts";
import { environmentOf, testKeys } from "./specs.ts";

/** Files of an environment named `test`, and the age keys that open them. */
export interface TestIdentity {
  readonly files: Readonly<Record<string, string>>;
  readonly clusterKey: string;
  readonly adminKey: string;
  readonly clusterRecipient: string;
  readonly adminRecipient: string;
}

/** What the tests of a run share. */
export interface Run {
  /** A folder for the run, removed afterwards. */
  readonly scratch: string;
  /** An identity that every release can use, made for this run. */
  readonly identity: TestIdentity;
}

const variable = "MESHOPS_TEST_RUN";

/** Begins a run, for this process and those that it starts; returns how to end it. */
export async function beginRun(): Promise<() => void> {
  const scratch = mkdtempSync(join(tmpdir(), "meshops-test-"));
  writeFileSync(join(scratch, "identity.json"), JSON.stringify(await makeTestIdentity()), { mode: 0o600 });
  process.env[variable] = scratch;
  return () => rmSync(scratch, { recursive: true, force: true });
}

/** The run that this process belongs to. */
export function thisRun(): Run {
  const scratch = process.env[variable];
  if (scratch === undefined) throw new Error("no run has begun");
  return { scratch, identity: JSON.parse(readFileSync(join(scratch, "identity.json"), "utf8")) as TestIdentity };
}

async function makeTestIdentity(): Promise<TestIdentity> {
  // The oldest release has every webhook there is.
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
