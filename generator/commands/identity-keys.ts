import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { exitCode, UserError } from "../user-error.ts";
import { addIdentities, ageIdentities } from "../workspace/age-keys.ts";
import { Repository } from "../workspace/repository.ts";
import { type CommonOptions, loadOne } from "./context.ts";

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
