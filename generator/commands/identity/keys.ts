import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { addIdentities, ageIdentities } from "../../identity/age-keys.ts";
import { emitDocuments } from "../../kubernetes/documents.ts";
import { setAt } from "../../kubernetes/edit.ts";
import { byRecipient } from "../../sops/age.ts";
import { specFile } from "../../spec/layout.ts";
import { asMap } from "../../system/data.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathWithin, writeAtomic } from "../../system/files.ts";
import { plural } from "../../system/text.ts";
import { type DirectoryOption, loadOne, printDiagnostics, repositoryIn } from "../context.ts";
import type { Io } from "../io.ts";

interface KeygenOptions {
  readonly directory: string;
  /** Put the recipients into the spec. */
  readonly write: boolean;
  /** In place of those that are there. */
  readonly force: boolean;
}

/** `meshops identity keygen <env>`: age identities for a cluster and its administrator, kept in the user's key file; prints their recipients. */
export async function keygen(
  [name = ""]: readonly string[],
  { directory, write, force }: KeygenOptions,
  io: Io,
): Promise<number> {
  const spec = write ? writableSpec(io, directory, name, force) : null;
  const entries = await Promise.all(
    ["cluster", "admin"].map(async (role) => {
      const identity = await generateX25519Identity();
      return { role, comment: `meshops: ${name}, ${role}`, identity, recipient: await identityToRecipient(identity) };
    }),
  );
  const path = await addIdentities(io.env, entries);
  const [cluster = "", admin = ""] = entries.map(({ recipient }) => recipient);
  io.stdout.write(`secrets:\n  age:\n    - ${cluster}\n  admin:\n    - ${admin}\n`);
  io.stderr.write(`the private keys are in ${path}; keep a copy of that file in a safe place\n`);
  if (spec === null) io.stderr.write(`put the lines above under spec in ${specFile(name)}\n`);
  else {
    spec.write({ age: [cluster], admin: [admin] });
    io.stderr.write(`${specFile(name)} names them\n`);
  }
  return exitCode.ok;
}

/**
 * A spec that recipients can be put into.
 *
 * @throws UserError where there is no such spec, it is no YAML, or it names recipients already
 */
function writableSpec(
  io: Io,
  directory: string,
  name: string,
  force: boolean,
): { write: (recipients: { age: readonly string[]; admin: readonly string[] }) => void } {
  const { root, source } = repositoryIn(io, directory);
  const spec = source(name);
  if (spec === null) throw new UserError(exitCode.missing, `there is no ${specFile(name)}`, "meshops init writes one");
  printDiagnostics(io.stderr, spec.diagnostics);
  const { document, text } = spec;
  if (document === null) throw new UserError(exitCode.problem, `${specFile(name)} cannot be read`, `meshops validate ${name}`);
  const { age, admin } = asMap(asMap(asMap(spec.value)["spec"])["secrets"]);
  if ([age, admin].some((list) => Array.isArray(list) && list.length > 0) && !force)
    throw new UserError(
      exitCode.problem,
      `${specFile(name)} names recipients already`,
      "replace them with --force; then: meshops identity updatekeys",
    );
  return {
    write: (recipients) => {
      for (const [role, list] of Object.entries(recipients)) setAt(document, ["spec", "secrets", role], list);
      writeAtomic(pathWithin(root, specFile(name)), emitDocuments([document], text));
    },
  };
}

/** `meshops identity age-key <env>`: the cluster's age identity, for a pipe into the cluster. */
export async function ageKey([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  const environment = loadOne(io, repositoryIn(io, options.directory), name);
  if (io.stdout.isTTY)
    throw new UserError(
      exitCode.usage,
      "the private key would show on the terminal",
      `pipe it: meshops identity age-key ${name} | kubectl …`,
    );
  const { known, damaged } = await byRecipient(ageIdentities(io.env));
  const recipients = environment.spec.secrets.age;
  const identity = recipients.map((recipient) => known.get(recipient)).find((found) => found !== undefined);
  if (identity !== undefined) {
    io.stdout.write(`${identity}\n`);
    return exitCode.ok;
  }
  const but = damaged === 0 ? "" : `, and ${plural(damaged, "key")} at hand ${damaged === 1 ? "is" : "are"} damaged`;
  throw new UserError(
    exitCode.missing,
    `the age key of the cluster is not at hand: none belongs to ${recipients.join(", ")}${but}`,
    "put it into SOPS_AGE_KEY_FILE or sops/age/keys.txt of your configuration folder",
  );
}
