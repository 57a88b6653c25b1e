import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { colorsFor } from "../colors.ts";
import { type Changes, newIdentity, rekeyed } from "../identity/files.ts";
import { rotateAnchor, rotateIssuer, rotateWebhooks, type Step } from "../identity/rotate.ts";
import { type CertificateStatus, identityStatus } from "../identity/status.ts";
import { hasErrors } from "../spec/diagnostic.ts";
import { toHours } from "../spec/duration.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { compareText } from "../text.ts";
import { exitCode, UserError } from "../user-error.ts";
import { addIdentities, ageIdentities } from "../workspace/age-keys.ts";
import { readIfThere } from "../workspace/files.ts";
import { finishChanges, writeChanges } from "../workspace/journal.ts";
import { withLock } from "../workspace/lock.ts";
import { Repository } from "../workspace/repository.ts";
import { sopsConfigFile, withCreationRules } from "../workspace/sops-config.ts";
import { openVault } from "../workspace/vault.ts";
import { type CommonOptions, concrete, loadAll, plural, printDiagnostics } from "./context.ts";

type IdentityOptions = CommonOptions & { readonly force: boolean };

/** `meshops identity init <env>`: trust anchor, issuer and webhook certificates; private keys reach the disk only encrypted. */
export async function init([name = ""]: readonly string[], options: IdentityOptions): Promise<number> {
  return changing(name, options, async (environment, root) => {
    const vault = openVault(root, environment, [], new Date());
    const changes = await newIdentity(environment, vault, new Date());
    const standing = [...changes.keys()].filter((path) => vault.read(path) !== null);
    if (standing.length > 0 && !options.force)
      throw new UserError(
        exitCode.problem,
        `${name} has an identity, or a part of one:\n  ${standing.join("\n  ")}`,
        "to renew it, use rotate-issuer, rotate-anchor and rotate-webhooks; --force replaces all of it, and what is meshed must then restart at once",
      );
    const config = withCreationRules(vault.read(sopsConfigFile), environment);
    return {
      changes: new Map([...changes, [sopsConfigFile, config]]),
      done: `a new identity for ${name}`,
      next: "meshops generate, commit and push",
    };
  });
}

/** `meshops identity rotate-issuer <env>` */
export function issuer([name = ""]: readonly string[], options: IdentityOptions): Promise<number> {
  return changing(name, options, (environment, root) => rotateIssuer(environment, vaultOf(root, environment), new Date()));
}

/** `meshops identity rotate-webhooks <env>` */
export function webhooks([name = ""]: readonly string[], options: IdentityOptions): Promise<number> {
  return changing(name, options, (environment, root) => rotateWebhooks(environment, vaultOf(root, environment), new Date()));
}

/** `meshops identity rotate-anchor <env>`: the next of three steps. */
export function anchor([name = ""]: readonly string[], options: IdentityOptions): Promise<number> {
  return changing(name, options, (environment, root) =>
    rotateAnchor(environment, vaultOf(root, environment), new Date(), options.force),
  );
}

/** `meshops identity updatekeys <env>`: the encrypted files, and `.sops.yaml`, for the recipients that the spec names now. */
export function updatekeys([name = ""]: readonly string[], options: IdentityOptions): Promise<number> {
  return changing(name, options, async (environment, root) => {
    const vault = vaultOf(root, environment);
    const changes = await rekeyed(environment, vault);
    if (changes.size === 0) throw new UserError(exitCode.problem, `${name} has no identity yet`, `meshops identity init ${name}`);
    return {
      changes: new Map([...changes, [sopsConfigFile, withCreationRules(vault.read(sopsConfigFile), environment)]]),
      done: "the files open to the spec's recipients",
      next: "commit and push; who was taken off can still read what is in Git's history, so rotate what they knew",
    };
  });
}

/** `meshops identity keygen <env>`: age identities for a cluster and its administrator, kept in the user's key file; prints their recipients. */
export async function keygen([name = ""]: readonly string[]): Promise<number> {
  const entries = await Promise.all(
    ["cluster", "admin"].map(async (role) => {
      const identity = await generateX25519Identity();
      return { role, comment: `meshops: ${name}, ${role}`, identity, recipient: await identityToRecipient(identity) };
    }),
  );
  const path = await addIdentities(entries);
  const [cluster, admin] = entries.map(({ recipient }) => recipient);
  process.stdout.write(`secrets:\n  age:\n    - ${cluster}\n  admin:\n    - ${admin}\n`);
  process.stderr.write(
    `the private keys are in ${path}; keep a copy of that file in a safe place\nput the lines above under spec in environments/${name}.yaml\n`,
  );
  return exitCode.ok;
}

/** `meshops identity export <env> --age-key`: the cluster's age identity, for a pipe into the cluster. */
export async function exportKey([name = ""]: readonly string[], options: CommonOptions): Promise<number> {
  const environment = loadOne(new Repository(options.directory), name);
  if (process.stdout.isTTY)
    throw new UserError(
      exitCode.usage,
      "the private key would show on the terminal",
      `pipe it: meshops identity export ${name} --age-key | kubectl …`,
    );
  for (const identity of ageIdentities())
    if (environment.spec.secrets.age.includes(await identityToRecipient(identity))) {
      process.stdout.write(`${identity}\n`);
      return exitCode.ok;
    }
  throw new UserError(
    exitCode.missing,
    `the age key of the cluster is not at hand: none belongs to ${environment.spec.secrets.age.join(", ")}`,
    "put it into SOPS_AGE_KEY_FILE or sops/age/keys.txt of your configuration folder",
  );
}

/** `meshops identity status [env…]`: what the committed certificates say, and who can decrypt their keys. */
export function status(names: readonly string[], options: CommonOptions & { readonly failWithin?: string }): number {
  const repository = new Repository(options.directory);
  const { loaded, diagnostics } = loadAll(repository, names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(diagnostics, "text");
    return exitCode.problem;
  }
  const read = (path: string): string | null => readIfThere(join(repository.root, path));
  const all = concrete(loaded, names).map((environment) => ({
    name: environment.metadata.name,
    ...identityStatus(environment, read, new Date()),
  }));
  const certificates = all.flatMap((environment) => environment.certificates);
  const limit = options.failWithin === undefined ? -1 : toHours(options.failWithin) / 24;
  const expiring = certificates.filter(({ daysLeft }) => daysLeft < Math.max(limit, 0));
  if (options.output === "json") process.stdout.write(`${JSON.stringify(certificates, null, 2)}\n`);
  else for (const environment of all) printStatus(environment, expiring);
  const incomplete = all.filter(({ missing }) => missing.length > 0);
  for (const { name, certificates: present, missing } of incomplete)
    process.stderr.write(
      present.length === 0
        ? `${name} has no identity yet\nhint: meshops identity init ${name}\n`
        : `${name} lacks, or holds damaged: ${missing.join(", ")}\nhint: restore the files from Git, or meshops identity rotate-webhooks ${name} for a webhook's\n`,
    );
  return expiring.length > 0 || incomplete.length > 0 ? exitCode.problem : exitCode.ok;
}

function printStatus(
  { name, certificates, rotation }: { name: string; certificates: readonly CertificateStatus[]; rotation: string | null },
  expiring: readonly CertificateStatus[],
): void {
  if (certificates.length === 0) return;
  const { bold, dim, red, yellow } = colorsFor(process.stdout);
  const lines = certificates.map((certificate) => {
    const { name: label, notAfter, daysLeft, sha256, recipients } = certificate;
    const left = daysLeft < 0 ? `expired ${-daysLeft} days ago` : `${daysLeft} days left`;
    const paint = expiring.includes(certificate) ? red : (text: string): string => text;
    const readers = recipients.length === 0 ? yellow("nobody") : recipients.map(short).join(", ");
    return `  ${label.padEnd(24)} ${notAfter.slice(0, 10)}  ${paint(left.padEnd(22))} ${dim(sha256.slice(0, 12))}  ${readers}`;
  });
  process.stdout.write(`${bold(name)}\n${lines.join("\n")}\n${rotation === null ? "" : `  ${yellow(rotation)}\n`}`);
}

/** A recipient, short enough to be compared by eye. */
function short(recipient: string): string {
  return recipient.startsWith("age1") ? `${recipient.slice(0, 10)}…${recipient.slice(-4)}` : recipient;
}

/** Loads an environment, has its files changed under the lock, and tells what comes next. */
async function changing(
  name: string,
  options: CommonOptions,
  make: (environment: Environment, root: string) => Promise<Step | { changes: Changes; done: string; next: string }>,
): Promise<number> {
  const repository = new Repository(options.directory);
  return withLock(repository.root, async () => {
    if (await finishChanges(repository.root)) process.stderr.write("finished what an interrupted run had begun\n");
    const { changes: made, done, next } = await make(loadOne(repository, name), repository.root);
    const changes = new Map([...made].filter(([path, text]) => readIfThere(join(repository.root, path)) !== text));
    await writeChanges(repository.root, changes);
    for (const path of [...changes.keys()].sort(compareText)) process.stdout.write(`${path}\n`);
    process.stderr.write(`${done}: ${plural(changes.size, "file")} changed\nnext: ${next}\n`);
    return exitCode.ok;
  });
}

function vaultOf(root: string, environment: Environment): ReturnType<typeof openVault> {
  return openVault(root, environment, ageIdentities(), new Date());
}

/** @throws UserError (problem) after the findings were told */
function loadOne(repository: Repository, name: string): Environment {
  const { loaded, diagnostics } = loadAll(repository, [name]);
  const [environment] = concrete(loaded, [name]);
  if (environment === undefined || hasErrors(diagnostics)) {
    printDiagnostics(diagnostics, "text");
    throw new UserError(exitCode.problem, `${name} is no valid environment`, `meshops validate ${name}`);
  }
  return environment;
}
