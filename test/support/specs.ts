import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { bech32 } from "@scure/base";
import { identityToRecipient } from "age-encryption";
import { stringify } from "yaml";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import type { Identity } from "../../generator/identity/identity.ts";
import { loadEnvironment } from "../../generator/lint/load.ts";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import type { Loaded } from "../../generator/spec/load.ts";
import { parseSource } from "../../generator/spec/parse.ts";
import { asMap, isMap } from "../../generator/system/data.ts";
import { projectRoot } from "./tools.ts";

/**
 * Derives an age key for tests from the name of the key's role. The key is not stored, because every process derives
 * the same key from the same name.
 */
async function testKey(role: string): Promise<{ readonly identity: string; readonly recipient: string }> {
  const bytes = createHash("sha256").update(`meshops test, ${role}`).digest();
  const identity = bech32.encode("AGE-SECRET-KEY-", bech32.toWords(bytes)).toUpperCase();
  return { identity, recipient: await identityToRecipient(identity) };
}

export const testKeys: Readonly<Record<"cluster" | "admin", { readonly identity: string; readonly recipient: string }>> = {
  cluster: await testKey("cluster"),
  admin: await testKey("admin"),
};

/** Recipients in the specs that the tests create. */
export const recipients: { readonly age: string[]; readonly admin: string[] } = {
  age: [testKeys.cluster.recipient],
  admin: [testKeys.admin.recipient],
};

/** Image of the Python client in specs that set `pydgraphClient.image`. */
export const clientImage = "ghcr.io/acme/pydgraph-client";

/** The entry in `dgraph.clients` for the client that meshops deploys. */
const ownClient = { namespace: "pydgraph-client", serviceAccount: "pydgraph-client" };

/**
 * Returns a small valid spec with changes. Adds the fields in `spec` to the small spec. If the small spec already has a
 * field, the field in `spec` replaces it. If both fields are maps, this function merges the two maps, but not the maps
 * inside them.
 */
export function specOf(spec: Record<string, unknown> = {}, name = "test"): Record<string, unknown> {
  const least: Record<string, unknown> = {
    gitops: { url: "https://github.com/acme/platform" },
    secrets: recipients,
    dgraph: { clients: [ownClient] },
    pydgraphClient: { image: clientImage },
  };
  const laid = Object.entries(spec).map(([key, value]) => [key, isMap(value) ? { ...asMap(least[key]), ...value } : value]);
  return {
    apiVersion: "meshops.dev/v1alpha1",
    kind: "Environment",
    metadata: { name },
    spec: { ...least, ...Object.fromEntries(laid) },
  };
}

/** Returns a spec as the text of a file. */
export function specText(spec: Record<string, unknown> = {}, name = "test"): string {
  return stringify(specOf(spec, name));
}

/** Returns the resolved environment of a spec. Throws if the spec is invalid. */
export function environmentOf(spec: Record<string, unknown> = {}, name = "test"): Environment {
  const { environment, diagnostics } = loadFiles({ [name]: specText(spec, name) }, name);
  if (environment === null)
    throw new Error(diagnostics.map(({ message, expected }) => `${message}; expected ${expected}`).join("\n"));
  return environment;
}

/**
 * Returns an environment that uses an existing Linkerd. The only workload of the environment is `shop` in the namespace
 * `shop`.
 *
 * @param pods sets of pods of the workload, keyed by name
 */
export function environmentOfShop(pods: Record<string, unknown>): Environment {
  return environmentOf({
    linkerd: { lifecycle: "existing", viz: { enabled: false } },
    dgraph: { enabled: false },
    pydgraphClient: undefined,
    workloads: { shop: { namespace: "shop", pods } },
  });
}

/** Loads an environment from texts instead of files in environments/. @param files texts, keyed by environment name */
export function loadFiles(files: Readonly<Record<string, string>>, name: string): Loaded {
  return loadEnvironment(name, (wanted) => {
    const text = files[wanted];
    return text === undefined ? null : parseSource(`environments/${wanted}.yaml`, text);
  });
}

/** Returns each finding as a short text `<file>:<line>:<column> <code>`. */
export function brief(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}

/** Returns the public certificates of the sample environment dev. */
export function sampleIdentity(): Identity {
  const read = (file: string): string => readFileSync(`${projectRoot}environments/dev/identity/${file}`, "utf8").trim();
  return { trustAnchors: read("trust-anchors.crt"), issuer: read("issuer.crt"), webhookCa: read("webhook-ca.crt") };
}
