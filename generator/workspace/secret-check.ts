import { parse } from "yaml";
import { issuerSecret, webhooksOf } from "../mesh/webhooks.ts";
import { SopsError } from "../sops/error.ts";
import { inspectFile } from "../sops/inspect.ts";
import { otherServices } from "../sops/metadata.ts";
import { secretRule } from "../sops/rule.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** A finding about an encrypted file: what is wrong, and what to do. */
interface Problem {
  readonly message: string;
  readonly hint: string | null;
}

/** A Secret of an environment's identity, as its plaintext must name it: the MAC does not cover that, and Flux does not check the MAC. */
export interface ExpectedSecret {
  readonly name: string;
  readonly namespace: string;
}

/** The Secrets that an environment's identity consists of. */
export function expectedSecrets(environment: Environment): ExpectedSecret[] {
  const webhooks = webhooksOf(environment).map(({ secret, namespace }) => ({ name: secret, namespace }));
  return [{ name: issuerSecret, namespace: "linkerd" }, ...webhooks];
}

/** What can be said of an encrypted Secret without a key: that it is whole, what it calls itself, and who can open it. */
export function checkSecret(text: string, expected: ExpectedSecret, { metadata, spec }: Environment): Problem | null {
  try {
    const { rule, macOnlyEncrypted, age } = inspectFile(text);
    if (rule.kind !== secretRule.kind || rule.value !== secretRule.value || !macOnlyEncrypted)
      return {
        message: `it must be encrypted by ${secretRule.kind} ${secretRule.value} with mac_only_encrypted, or Flux's labels break the MAC`,
        hint: ".sops.yaml has the rule; decrypt the file and encrypt it again",
      };
    return (
      wrongPlaintext(text, expected) ??
      wrongRecipients(
        metadata.name,
        age.map(({ recipient }) => recipient),
        [...spec.secrets.age, ...spec.secrets.admin],
      )
    );
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    return { message: error.message, hint: error.problem === "not-encrypted" ? plaintextHint : error.hint };
  }
}

const plaintextHint =
  "do not commit it; encrypt it with `meshops secrets encrypt`, and make a new identity if it was ever pushed";

function wrongPlaintext(text: string, { name, namespace }: ExpectedSecret): Problem | null {
  const { data, sops: _, ...rest } = parse(text) as Record<string, unknown>;
  const wanted = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "kubernetes.io/tls" };
  const open = Object.values((data ?? {}) as object).filter((value) => typeof value !== "string" || !value.startsWith("ENC["));
  if (open.length > 0 || data === undefined) return { message: "a value under data is not encrypted", hint: plaintextHint };
  if (JSON.stringify(sorted(rest)) === JSON.stringify(sorted(wanted))) return null;
  return {
    message: `beside its data it must say kind Secret, type kubernetes.io/tls, ${namespace}/${name} and nothing else`,
    hint: "restore the file from Git",
  };
}

/** With keys in order, so that two objects can be compared as texts. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

/** The administrators' file must open to administrators alone. */
export function checkSigningKeys(text: string, { metadata, spec }: Environment): Problem | null {
  try {
    const sops = inspectFile(text);
    if (otherServices(sops).length > 0) return { message: `it opens to ${otherServices(sops).join(" and ")} too`, hint: null };
    return wrongRecipients(
      metadata.name,
      sops.age.map(({ recipient }) => recipient),
      spec.secrets.admin,
    );
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    return { message: error.message, hint: error.problem === "not-encrypted" ? plaintextHint : error.hint };
  }
}

function wrongRecipients(environment: string, found: readonly string[], wanted: readonly string[]): Problem | null {
  const [missing] = wanted.filter((recipient) => !found.includes(recipient));
  const [extra] = found.filter((recipient) => !wanted.includes(recipient));
  if (missing === undefined && extra === undefined) return null;
  const message =
    extra === undefined
      ? `it does not open to ${missing}, which the spec names`
      : `it opens to ${extra}, which the spec does not name`;
  return {
    message,
    hint: `meshops identity updatekeys ${environment}`,
  };
}
