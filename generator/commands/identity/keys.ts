import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { addIdentities, ageIdentities, type KeyEntry, keyFile, markUsed, unusedEntry } from "../../identity/age-keys.ts";
import { encryptedFiles } from "../../identity/read-identity.ts";
import { mapAt } from "../../kubernetes/object-fields.ts";
import { type Edit, spliceOne } from "../../kubernetes/splice.ts";
import { byRecipient } from "../../sops/age.ts";
import { specFile } from "../../spec/layout.ts";
import { recipientsOf } from "../../spec/ownership.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathWithin, writeAtomic } from "../../system/files.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { type DirectoryOption, loadOne, printDiagnostics, repositoryIn } from "../load.ts";

interface KeygenOptions {
  readonly directory: string;
  /** Also write the recipients to the spec. */
  readonly write: boolean;
  /** With `write`: replace existing recipients in the spec. */
  readonly force: boolean;
}

/**
 * `meshops identity keygen <env>`: creates one age identity (private key) for the cluster and one for its
 * administrator. Adds the identities to the user's key file, and prints the recipients (public keys).
 */
export async function keygen(
  [name = ""]: readonly string[],
  { directory, write, force }: KeygenOptions,
  io: Io,
): Promise<number> {
  const spec = write ? writableSpec(io, directory, name, force) : null;
  const comments = ["cluster", "admin"].map((role) => `meshops: ${name}, ${role}`);
  // If an earlier run created identities whose recipients are not in the spec yet, use these identities again.
  const earlier = force ? [] : comments.flatMap((comment) => unusedEntry(io.env, `${comment}, not yet in a spec`) ?? []);
  const reused = earlier.length === comments.length && !earlier.some(({ recipient }) => isInSpec(io, directory, name, recipient));
  const entries = reused
    ? earlier
    : await Promise.all(comments.map((comment) => newEntry(write ? comment : `${comment}, not yet in a spec`)));
  const path = reused ? keyFile(io.env) : await addIdentities(io.env, entries);
  const [cluster = "", admin = ""] = entries.map(({ recipient }) => recipient);
  io.stdout.write(`secrets:\n  age:\n    - ${cluster}\n  admin:\n    - ${admin}\n`);
  io.stderr.write(
    reused
      ? `no new keys created: an earlier run already added the private keys to ${path}; keep a copy of this file in a safe place\n`
      : `private keys written to ${path}; keep a copy of this file in a safe place\n`,
  );
  if (spec === null) io.stderr.write(`add the printed lines to the field spec in ${specFile(name)}\n`);
  else {
    spec.write({ age: [cluster], admin: [admin] });
    await markUsed(io.env, [...spec.replaced, ...(reused ? [cluster, admin] : [])]);
    io.stderr.write(`recipients written to ${specFile(name)}\n`);
  }
  return exitCode.ok;
}

async function newEntry(comment: string): Promise<KeyEntry> {
  const identity = await generateX25519Identity();
  return { comment, identity, recipient: await identityToRecipient(identity) };
}

function isInSpec(io: Io, directory: string, name: string, recipient: string): boolean {
  return repositoryIn(io, directory).source(name)?.text.includes(recipient) ?? false;
}

/**
 * Returns the recipients that a spec contains (`replaced`), and a function that writes new recipients to the spec
 * (`write`).
 *
 * @throws UserError if the spec does not exist or is not valid YAML. Without `force`, also if the spec already contains
 * recipients, or if the environment already has encrypted files
 */
function writableSpec(
  io: Io,
  directory: string,
  name: string,
  force: boolean,
): { replaced: readonly string[]; write: (recipients: { age: readonly string[]; admin: readonly string[] }) => void } {
  const { root, source } = repositoryIn(io, directory);
  const spec = source(name);
  if (spec === null)
    throw new UserError(
      exitCode.missing,
      `${specFile(name)} does not exist`,
      "correct the name of the environment, or run meshops env add to create the spec",
    );
  printDiagnostics(io.stderr, spec.diagnostics);
  const { document, text } = spec;
  if (document === null) throw new UserError(exitCode.problem, `cannot parse ${specFile(name)}`, `run meshops validate ${name}`);
  const { age, admin } = mapAt(spec.value, "spec", "secrets");
  if ([age, admin].some((list) => Array.isArray(list) && list.length > 0) && !force)
    throw new UserError(
      exitCode.problem,
      `${specFile(name)} already contains recipients`,
      `add --force to replace the recipients, then run meshops identity updatekeys ${name}`,
    );
  const [encrypted] = encryptedFiles(root, name);
  if (encrypted !== undefined && !force)
    throw new UserError(
      exitCode.problem,
      `${encrypted} is already encrypted, but ${specFile(name)} contains no recipients`,
      "restore spec.secrets from Git. A cluster cannot decrypt the existing files with a new key. If the cluster does not exist yet, add --force to create new keys",
    );
  return {
    replaced: [age, admin].flatMap((list) => (Array.isArray(list) ? list.map(String) : [])),
    write: (recipients) => {
      const edits = Object.entries(recipients).map(
        ([role, list]): Edit => ({ op: "set", path: ["spec", "secrets", role], value: list }),
      );
      writeAtomic(pathWithin(root, specFile(name)), spliceOne(document, text, edits));
    },
  };
}

/**
 * `meshops identity age-key <env>`: prints the age identities (private keys) of the cluster's recipients, one per line.
 * The user can pipe the output to kubectl. If the user does not have the private key of a recipient, the output does
 * not contain this key.
 */
export async function ageKey([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  const environment = loadOne(io, repositoryIn(io, options.directory), name);
  if (io.stdout.isTTY)
    throw new UserError(
      exitCode.usage,
      "meshops does not print a private key to a terminal",
      `pipe the output: meshops identity age-key ${name} | kubectl …`,
    );
  const { known, damaged } = await byRecipient(await ageIdentities(io.env));
  const recipients = recipientsOf(environment).age;
  if (recipients.length === 0)
    throw new UserError(
      exitCode.problem,
      `environment ${name} has no age key: spec.secrets is not set`,
      `if the environment needs encrypted files, run meshops identity keygen ${name} --write to create an age key`,
    );
  // While the user replaces the cluster's key, the spec lists two recipients of the cluster. During this time, the
  // Secret with Flux's age keys must contain both keys.
  const identities = recipients.flatMap((recipient) => known.get(recipient) ?? []);
  if (identities.length > 0) {
    io.stdout.write(identities.map((identity) => `${identity}\n`).join(""));
    return exitCode.ok;
  }
  const but = damaged === 0 ? "" : `; ${plural(damaged, "age key")} on this machine ${damaged === 1 ? "is" : "are"} damaged`;
  throw new UserError(
    exitCode.missing,
    `no private age key found for the recipients of the cluster: ${recipients.join(", ")}${but}`,
    "set SOPS_AGE_KEY_FILE to the file with the key, or add the key to sops/age/keys.txt in your configuration folder",
  );
}
