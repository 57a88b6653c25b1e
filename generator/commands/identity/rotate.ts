import { join } from "node:path";
import { ageIdentities } from "../../identity/age-keys.ts";
import { type Changes, newIdentity, rekeyed } from "../../identity/files.ts";
import { type RotationStep, rotateIssuer, rotateWebhooks } from "../../identity/rotate.ts";
import { rotateAnchor } from "../../identity/rotate-anchor.ts";
import { openSecretStore } from "../../identity/secret-store.ts";
import { sopsConfigFile, withCreationRules } from "../../identity/sops-config.ts";
import { finishChanges, writeChanges } from "../../identity/transaction.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { readIfThere } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import { compareText, plural } from "../../system/text.ts";
import { type DirectoryOption, loadOne, repositoryIn } from "../context.ts";
import type { Io } from "../io.ts";

type InitOptions = DirectoryOption & { readonly force: boolean };
type AnchorOptions = DirectoryOption & { readonly podsRestarted: boolean };

/** `meshops identity init <env>`: trust anchor, issuer and webhook certificates; private keys reach the disk only encrypted. */
export async function init([name = ""]: readonly string[], options: InitOptions, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) => {
    const store = openSecretStore(root, environment, { identities: [], now: io.now(), env: io.env });
    const changes = await newIdentity(environment, store, io.now());
    const standing = [...changes.keys()].filter((path) => store.read(path) !== null);
    if (standing.length > 0 && !options.force)
      throw new UserError(
        exitCode.problem,
        `${name} has an identity, or a part of one:\n  ${standing.join("\n  ")}`,
        "to renew it, use rotate-issuer, rotate-anchor and rotate-webhooks; --force replaces all of it, and what is meshed must then restart at once",
      );
    const config = withCreationRules(store.read(sopsConfigFile), environment);
    return {
      changes: new Map([...changes, [sopsConfigFile, config]]),
      done: `a new identity for ${name}`,
      next: "meshops generate, commit and push",
    };
  });
}

/** `meshops identity rotate-issuer <env>` */
export function issuer([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, (environment, root) =>
    rotateIssuer(environment, secretStoreOf(io, root, environment), io.now()),
  );
}

/** `meshops identity rotate-webhooks <env>` */
export function webhooks([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, (environment, root) =>
    rotateWebhooks(environment, secretStoreOf(io, root, environment), io.now()),
  );
}

/** `meshops identity rotate-anchor <env>`: the next of three steps. */
export function anchor([name = ""]: readonly string[], options: AnchorOptions, io: Io): Promise<number> {
  return changing(io, name, options, (environment, root) =>
    rotateAnchor(environment, secretStoreOf(io, root, environment), io.now(), options.podsRestarted),
  );
}

/** `meshops identity updatekeys <env>`: the encrypted files, and `.sops.yaml`, for the recipients that the spec names now. */
export function updatekeys([name = ""]: readonly string[], options: DirectoryOption, io: Io): Promise<number> {
  return changing(io, name, options, async (environment, root) => {
    const store = secretStoreOf(io, root, environment);
    const changes = await rekeyed(environment, store);
    if (changes.size === 0) throw new UserError(exitCode.problem, `${name} has no identity yet`, `meshops identity init ${name}`);
    return {
      changes: new Map([...changes, [sopsConfigFile, withCreationRules(store.read(sopsConfigFile), environment)]]),
      done: "the files open to the spec's recipients",
      next: "commit and push; who was taken off can still read what is in Git's history, so rotate what they knew",
    };
  });
}

/** Loads an environment, has its files changed under the lock, and tells what comes next. */
async function changing(
  io: Io,
  name: string,
  options: DirectoryOption,
  make: (environment: Environment, root: string) => Promise<RotationStep | { changes: Changes; done: string; next: string }>,
): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  return withLock(repository.root, async () => {
    if (await finishChanges(repository.root)) io.stderr.write("finished what an interrupted run had begun\n");
    const { changes: made, done, next } = await make(loadOne(io, repository, name), repository.root);
    const changes = new Map([...made].filter(([path, text]) => readIfThere(join(repository.root, path)) !== text));
    await writeChanges(repository.root, changes);
    for (const path of [...changes.keys()].sort(compareText)) io.stdout.write(`${path}\n`);
    io.stdout.write(`${done}: ${plural(changes.size, "file")} changed\nnext: ${next}\n`);
    return exitCode.ok;
  });
}

function secretStoreOf(io: Io, root: string, environment: Environment): ReturnType<typeof openSecretStore> {
  return openSecretStore(root, environment, { identities: ageIdentities(io.env), now: io.now(), env: io.env });
}
