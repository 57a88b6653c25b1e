import { isCiphertext } from "../sops/cipher.ts";
import { SopsError } from "../sops/error.ts";
import { openFile } from "../sops/inspect.ts";
import { type Metadata, otherServices, servicesFit } from "../sops/metadata.ts";
import { secretRule } from "../sops/rule.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { canonicalJson } from "../system/canonical.ts";
import type { SecretContract } from "./contracts.ts";

/** A finding about an encrypted file: what is wrong, and what to do. */
interface SecretProblem {
  readonly message: string;
  readonly fix: string | null;
}

/**
 * Checks an encrypted Secret without a key: that it is whole, its name, its keys and its recipients. The MAC does not cover the plaintext fields, and
 * Flux does not check the MAC.
 */
export function checkSecret(
  text: string,
  { name, namespace, type, keys }: SecretContract,
  { metadata, spec }: Environment,
): SecretProblem | null {
  const { age, admin, azureKeyVault } = spec.secrets;
  const wanted = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type };
  const words = `kind Secret, type ${type}, ${namespace}/${name}`;
  return check(text, { environment: metadata.name, wanted, words, data: keys, recipients: [...age, ...admin], azureKeyVault });
}

/** The administrators' file: keys that sign, for administrators alone. */
export function checkSigningKeys(text: string, { metadata, spec }: Environment): SecretProblem | null {
  return check(text, {
    environment: metadata.name,
    wanted: {},
    words: "nothing",
    data: null,
    recipients: spec.secrets.admin,
    azureKeyVault: undefined,
  });
}

interface Expected {
  readonly environment: string;
  /** What the file says beside `data` and `sops`, and in words. */
  readonly wanted: object;
  readonly words: string;
  /** Keys under `data`; null where others may stand there. */
  readonly data: readonly string[] | null;
  readonly recipients: readonly string[];
  readonly azureKeyVault: string | undefined;
}

function check(text: string, expected: Expected): SecretProblem | null {
  try {
    const { metadata, plain } = openFile(text);
    if (metadata.rule.kind !== secretRule.kind || metadata.rule.value !== secretRule.value || !metadata.macOnlyEncrypted)
      return {
        message: `it must be encrypted by ${secretRule.kind} ${secretRule.value} with mac_only_encrypted, or Flux's labels break the MAC`,
        fix: ".sops.yaml has the rule; decrypt the file and encrypt it again",
      };
    return wrongPlaintext(text, plain, expected) ?? wrongRecipients(metadata, expected);
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    return { message: error.message, fix: error.problem === "not-encrypted" ? plaintextFix : error.fix };
  }
}

const plaintextFix = "do not commit it; encrypt it with `meshops secrets encrypt`, and make a new identity if it was ever pushed";

function wrongPlaintext(
  text: string,
  { data, ...rest }: Readonly<Record<string, unknown>>,
  expected: Expected,
): SecretProblem | null {
  const { wanted, words, data: keys } = expected;
  // In comments too, which the MAC does not cover: PEM, the beginning of its base64, and age's own form.
  if (/PRIVATE KEY|LS0tLS1CRUdJTi|AGE-SECRET-KEY-/.test(text))
    return { message: "it holds a key in plaintext", fix: plaintextFix };
  const open = Object.values((data ?? {}) as object).filter((value) => typeof value !== "string" || !isCiphertext(value));
  if (open.length > 0 || data === undefined) return { message: "a value under data is not encrypted", fix: plaintextFix };
  if (
    keys !== null &&
    Object.keys(data as object)
      .sort()
      .join() !== [...keys].sort().join()
  )
    return { message: `its data must be ${keys.join(", ")} and nothing else`, fix: "restore the file from Git" };
  if (canonicalJson(rest) === canonicalJson(wanted)) return null;
  return { message: `beside its data it must say ${words} and nothing else`, fix: "restore the file from Git" };
}

function wrongRecipients(metadata: Metadata, { environment, recipients, azureKeyVault }: Expected): SecretProblem | null {
  const found = metadata.age.map(({ recipient }) => recipient);
  const [missing] = recipients.filter((recipient) => !found.includes(recipient));
  const [extra] = found.filter((recipient) => !recipients.includes(recipient));
  const fix = `meshops identity updatekeys ${environment}`;
  if (extra !== undefined) return { message: `it opens to ${extra}, which the spec does not name`, fix };
  if (missing !== undefined) return { message: `it does not open to ${missing}, which the spec names`, fix };
  if (servicesFit(metadata, azureKeyVault)) return null;
  const services = otherServices(metadata).join(" and ") || "no other key service";
  return { message: `it opens, besides age, to ${services}; the spec names ${azureKeyVault ?? "none"}`, fix };
}
