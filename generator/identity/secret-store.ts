import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toYaml } from "../kubernetes/yaml.ts";
import { secretRule } from "../sops/encryption-rule.ts";
import { decryptFile, encryptFile, updateKeys } from "../sops/file.ts";
import { inspectFile } from "../sops/inspect.ts";
import { keyServicesMatch } from "../sops/metadata.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { signingKeysFile } from "../spec/layout.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { readIfExists } from "../system/files.ts";
import { runProgram } from "../system/process.ts";
import { withTemporaryFolder } from "../system/temporary-folder.ts";
import type { SecretStore } from "./files.ts";
import { asUserError } from "./sops-problems.ts";

/**
 * Input of `openSecretStore`: the keys, the time and the environment variables with which the store decrypts and
 * encrypts files.
 */
export interface StoreAccess {
  /** age identities, `AGE-SECRET-KEY-1…`. */
  readonly identities: readonly string[];
  readonly now: Date;
  /** Environment variables of the sops binary. meshops runs this binary to encrypt files to Azure Key Vault. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Returns a store that reads and writes the encrypted files of an environment. */
export function openSecretStore(root: string, environment: Environment, { identities, now, env }: StoreAccess): SecretStore {
  const { azureKeyVault } = recipientsOf(environment);
  const store: SecretStore = {
    read: (path) => readIfExists(join(root, path)),
    encrypt: (path, plain, recipients) =>
      // The file with the signing keys is not encrypted to Azure Key Vault: the cluster might be allowed to use the key
      // in Key Vault, but must not be able to decrypt the signing keys.
      azureKeyVault === undefined || path === signingKeysFile(environment.metadata.name)
        ? asUserError(path, () => encryptFile(plain, { recipients, now }))
        : encryptWithBinary(path, plain, { recipients, keyVault: azureKeyVault, env }),
    decrypt: (path, text) => asUserError(path, () => decryptFile(text, { identities })),
    rekey: (path, text, recipients) => rekey(path, text, recipients),
  };
  return store;

  /**
   * Changes the recipients of a file with `updateKeys`, except in two cases. In both cases, the function decrypts the
   * file and encrypts it again. In the first case, a key service other than age is added or removed. In the second
   * case, a recipient is removed from a file that is encrypted to Azure Key Vault. The file then needs a new data key,
   * and only the sops binary can encrypt the data key to Azure Key Vault.
   */
  async function rekey(path: string, text: string, recipients: readonly string[]): Promise<string> {
    return asUserError(path, async () => {
      const metadata = inspectFile(text);
      const wanted = path === signingKeysFile(environment.metadata.name) ? undefined : azureKeyVault;
      const same = keyServicesMatch(metadata, wanted);
      const removed = metadata.age.some(({ recipient }) => !recipients.includes(recipient));
      if (!same || (removed && wanted !== undefined))
        return store.encrypt(path, await decryptFile(text, { identities }), recipients);
      return updateKeys(text, { identities, now }, recipients);
    });
  }
}

/**
 * Encrypts a file with the sops binary, because meshops itself cannot encrypt the data key with Azure Key Vault.
 * meshops passes the plaintext through a pipe. meshops passes the creation rule in a temporary file, because sops has
 * no flag for `mac_only_encrypted`. The creation rule contains no secrets.
 */
async function encryptWithBinary(
  path: string,
  plain: string,
  { recipients, keyVault, env }: Pick<StoreAccess, "env"> & { readonly recipients: readonly string[]; readonly keyVault: string },
): Promise<string> {
  return withTemporaryFolder("meshops-sops", async (folder) => {
    const config = join(folder, "sops.yaml");
    const rule = {
      age: recipients.join(","),
      azure_keyvault: keyVault,
      [secretRule.kind]: secretRule.value,
      mac_only_encrypted: true,
    };
    await writeFile(config, toYaml([{ creation_rules: [rule] }]));
    const types = ["--input-type", "yaml", "--output-type", "yaml"];
    const args = ["--config", config, "encrypt", "--filename-override", path, ...types, "/dev/stdin"];
    return run("sops", args, plain, env);
  });
}

/** Runs sops with a text on stdin and returns the text that sops writes to stdout. */
async function run(command: string, args: readonly string[], input: string, env: StoreAccess["env"]): Promise<string> {
  const { stdout, stderr, code, absent } = await runProgram(command, args, { input, env, opensStdin: true });
  if (code === 0) return stdout;
  if (absent)
    throw new UserError(
      exitCode.missing,
      "encryption with Azure Key Vault requires the sops binary, but sops is not on the PATH",
      "install sops from https://github.com/getsops/sops/releases",
    );
  throw new UserError(
    exitCode.problem,
    `sops could not encrypt to Azure Key Vault: ${lastLine(stderr)}`,
    "run az login, and check that you are allowed to use the key in Key Vault",
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
