import { join } from "node:path";
import { ageIdentities } from "../../identity/age-keys.ts";
import { type Changes, newIdentity, reencryptAll, type SecretStore } from "../../identity/files.ts";
import { type RotationStep, rotateIssuer, rotateWebhooks } from "../../identity/rotate.ts";
import { rotateAnchor } from "../../identity/rotate-anchor.ts";
import { openSecretStore } from "../../identity/secret-store.ts";
import { sopsConfigFile, withCreationRules } from "../../identity/sops-config.ts";
import { finishChanges, writeChanges } from "../../identity/transaction.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity, installsLinkerd } from "../../spec/ownership.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { readIfExists } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import { compareText, plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { type DirectoryOption, loadOne, repositoryIn } from "../load.ts";

type InitOptions = DirectoryOption & { readonly force: boolean };
type AnchorOptions = DirectoryOption & { readonly podsRestarted: boolean };

/**
 * `meshops identity init <env>`: creates the trust anchor, the issuer certificate and the webhook certificates.
 * Encrypts the private keys before it writes them to disk.
 */
export async function init([name = ""]: readonly string[], options: InitOptions, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) => {
    const store = openSecretStore(root, environment, { identities: [], now: io.now(), env: io.env });
    const changes = await newIdentity(environment, store, io.now());
    const existing = [...changes.keys()].filter((path) => store.read(path) !== null);
    if (existing.length > 0 && !options.force)
      throw new UserError(
        exitCode.problem,
        `${name} already has an identity, or parts of an identity:\n  ${existing.join("\n  ")}`,
        `to renew certificates, run meshops identity rotate-issuer, rotate-anchor or rotate-webhooks; to replace all certificates and keys, add --force, then run meshops generate, commit and push. When the cluster has the new certificates, restart all meshed pods`,
      );
    const config = withCreationRules(store.read(sopsConfigFile), environment);
    return {
      changes: new Map([...changes, [sopsConfigFile, config]]),
      done: `a new identity for ${name}`,
      next: "run meshops generate, commit and push",
    };
  });
}

/** `meshops identity rotate-issuer <env>`: creates a new issuer certificate that is signed by the same trust anchor. */
export function issuer([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) =>
    rotateIssuer(environment, await secretStoreOf(io, root, environment), io.now()),
  );
}

/** `meshops identity rotate-webhooks <env>`: creates new server certificates for the webhooks. */
export function webhooks([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) =>
    rotateWebhooks(environment, await secretStoreOf(io, root, environment), io.now()),
  );
}

/** `meshops identity rotate-anchor <env>`: runs the next of the three steps of a trust anchor rotation. */
export function anchor([name = ""]: readonly string[], options: AnchorOptions, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) =>
    rotateAnchor(environment, await secretStoreOf(io, root, environment), io.now(), options.podsRestarted),
  );
}

/**
 * `meshops identity updatekeys <env>`: changes the recipients of the identity's encrypted files to the recipients in
 * the spec, and updates the creation rules in `.sops.yaml`.
 */
export function updatekeys([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) => {
    const store = await secretStoreOf(io, root, environment);
    const changes = await reencryptAll(environment, store);
    if (changes.size === 0)
      throw new UserError(exitCode.problem, `${name} has no identity yet`, `run meshops identity init ${name}`);
    return {
      changes: new Map([...changes, [sopsConfigFile, withCreationRules(store.read(sopsConfigFile), environment)]]),
      done: "the identity's files are encrypted to the recipients in the spec",
      next: "commit and push; if you removed recipients, also rotate the private keys in the files: removed recipients can still decrypt the files in old commits",
    };
  });
}

/**
 * Runs a command that changes the identity of an environment. Locks the repository, loads the environment, writes the
 * changes that `make` returns, and prints the changed files and the next step.
 */
async function changing(
  io: Io,
  name: string,
  options: DirectoryOption,
  make: (environment: Environment, root: string) => Promise<RotationStep | { changes: Changes; done: string; next: string }>,
): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  return withLock(repository.root, async () => {
    if (await finishChanges(repository.root))
      io.stderr.write(
        "an earlier run of meshops was interrupted while it changed an environment's identity; this run has completed the change\n",
      );
    const environment = loadOne(io, repository, name);
    if (hasExternalIdentity(environment)) throw externalCertificates(environment);
    const { changes: made, done, next } = await make(environment, repository.root);
    const changes = new Map([...made].filter(([path, text]) => readIfExists(join(repository.root, path)) !== text));
    await writeChanges(repository.root, changes);
    for (const path of [...changes.keys()].sort(compareText)) io.stdout.write(`${path}\n`);
    const count = changes.size === 0 ? "no file changed" : `${plural(changes.size, "file")} changed`;
    io.stdout.write(`${done}: ${count}\n${changes.size === 0 ? "" : `next: ${next}\n`}`);
    return exitCode.ok;
  });
}

/** Returns the error that the commands report if another program issues the certificates of the environment. */
function externalCertificates(environment: Environment): UserError {
  const { name } = environment.metadata;
  const field = installsLinkerd(environment) ? "linkerd.identity.provider is external" : "linkerd.lifecycle is existing";
  return new UserError(
    exitCode.problem,
    `meshops does not issue the certificates of ${name}, because ${field}`,
    `change the certificates with the program that issues them; meshops status ${name} shows when the certificates expire`,
  );
}

async function secretStoreOf(io: Io, root: string, environment: Environment): Promise<SecretStore> {
  return openSecretStore(root, environment, { identities: await ageIdentities(io.env), now: io.now(), env: io.env });
}
