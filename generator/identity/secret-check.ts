import { isCiphertext } from "../sops/cipher.ts";
import { secretRule } from "../sops/encryption-rule.ts";
import { SopsError } from "../sops/error.ts";
import { openFile } from "../sops/inspect.ts";
import { keyServicesMatch, type Metadata, otherServices } from "../sops/metadata.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { canonicalJson } from "../system/canonical.ts";
import type { SecretContract } from "./contracts.ts";

/** A problem of an encrypted file, and how to fix this problem. `fix` is null if no fix is known. */
export interface FileProblem {
  readonly message: string;
  readonly fix: string | null;
}

/**
 * Checks an encrypted Secret without decrypting it. Checks the encryption rule, the fields that are not encrypted, the
 * keys under `data`, and the recipients. Returns the first problem, or null. The check of the unencrypted fields is
 * necessary, because the MAC does not include these fields, and Flux does not check the MAC.
 */
export function checkSecret(
  text: string,
  { name, namespace, type, keys }: SecretContract,
  environment: Environment,
): FileProblem | null {
  const { age, admin, azureKeyVault } = recipientsOf(environment);
  const wanted = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type };
  const words = `only apiVersion: v1, kind: Secret, type: ${type}, metadata.namespace: ${namespace} and metadata.name: ${name}`;
  const { name: ofEnvironment } = environment.metadata;
  return check(text, {
    environment: ofEnvironment,
    wanted,
    words,
    data: keys,
    recipients: [...age, ...admin],
    cluster: age,
    azureKeyVault,
  });
}

/**
 * Checks the file with the signing keys without decrypting it. The file must be encrypted only to the administrators.
 * Returns the first problem, or null.
 */
export function checkSigningKeys(text: string, environment: Environment): FileProblem | null {
  return check(text, {
    environment: environment.metadata.name,
    wanted: {},
    words: "no unencrypted fields except sops",
    data: null,
    recipients: recipientsOf(environment).admin,
    cluster: [],
    azureKeyVault: undefined,
  });
}

interface Expected {
  readonly environment: string;
  /** Exact fields that the file must have besides `data` and `sops`. These fields are not encrypted. */
  readonly wanted: object;
  /** Text that describes the fields in `wanted`, for messages. */
  readonly words: string;
  /** Exact keys that `data` must have. Null if `data` may have any keys. */
  readonly data: readonly string[] | null;
  readonly recipients: readonly string[];
  /** The entries of `recipients` that belong to the cluster. Empty if the cluster does not decrypt the file. */
  readonly cluster: readonly string[];
  readonly azureKeyVault: string | undefined;
}

function check(text: string, expected: Expected): FileProblem | null {
  try {
    const { metadata, plain } = openFile(text);
    if (metadata.rule.kind !== secretRule.kind || metadata.rule.value !== secretRule.value || !metadata.macOnlyEncrypted)
      return {
        message: `the file is encrypted with the wrong settings. Use ${secretRule.kind}: ${secretRule.value} and mac_only_encrypted: true. Without mac_only_encrypted, the labels that Flux adds make the MAC invalid`,
        fix: "decrypt the file, and encrypt the file again with the rule in .sops.yaml",
      };
    return wrongPlaintext(text, plain, expected) ?? wrongRecipients(metadata, expected);
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    return { message: error.message, fix: error.problem === "not-encrypted" ? plaintextFix : error.fix };
  }
}

const plaintextFix =
  "do not commit the file; encrypt the file with meshops secrets encrypt. If the plaintext was ever pushed, also replace the key: run meshops identity rotate-webhooks for a webhook, rotate-issuer for the issuer, or init --force for the keys in trust-anchor.sops.yaml";

function wrongPlaintext(
  text: string,
  { data, ...rest }: Readonly<Record<string, unknown>>,
  expected: Expected,
): FileProblem | null {
  const { wanted, words, data: keys } = expected;
  // Search the whole text for PEM private keys, for PEM in base64, and for age identities. Also search the comments,
  // because the MAC does not include comments.
  if (/PRIVATE KEY|LS0tLS1CRUdJTi|AGE-SECRET-KEY-/.test(text))
    return { message: "the file contains a private key in plaintext", fix: plaintextFix };
  const open = Object.values((data ?? {}) as object).filter((value) => typeof value !== "string" || !isCiphertext(value));
  if (open.length > 0 || data === undefined) return { message: "a value in the field data is not encrypted", fix: plaintextFix };
  if (
    keys !== null &&
    Object.keys(data as object)
      .sort()
      .join() !== [...keys].sort().join()
  )
    return { message: `the field data must have exactly the keys ${keys.join(", ")}`, fix: "restore the file from Git" };
  if (canonicalJson(rest) === canonicalJson(wanted)) return null;
  return {
    message: `the unencrypted fields of the file have wrong names or values. Expected: ${words}`,
    fix: "restore the file from Git",
  };
}

function wrongRecipients(metadata: Metadata, { environment, recipients, cluster, azureKeyVault }: Expected): FileProblem | null {
  const found = metadata.age.map(({ recipient }) => recipient);
  const [missing] = recipients.filter((recipient) => !found.includes(recipient));
  const [extra] = found.filter((recipient) => !recipients.includes(recipient));
  const other = cluster.length > 0 && !cluster.some((recipient) => found.includes(recipient));
  const fix = other
    ? `if the cluster still has its old age key, add the old recipient to secrets.age again, and replace the key in three steps (meshops help identity). If the cluster has the new age key, run meshops identity updatekeys ${environment}`
    : `run meshops identity updatekeys ${environment}`;
  if (extra !== undefined)
    return { message: `the file is encrypted to ${extra}, but the spec does not list this recipient for the file`, fix };
  if (missing !== undefined)
    return { message: `the file is not encrypted to ${missing}, but the spec lists this recipient for the file`, fix };
  if (keyServicesMatch(metadata, azureKeyVault)) return null;
  const services = otherServices(metadata).join(" and ");
  const wanted =
    azureKeyVault === undefined ? "the spec lists only age recipients" : `the spec also lists the key ${azureKeyVault}`;
  return {
    message:
      services === ""
        ? `the file is encrypted only to age recipients, but ${wanted}`
        : `the file is encrypted to age recipients and to ${services}, but ${wanted}`,
    fix,
  };
}
