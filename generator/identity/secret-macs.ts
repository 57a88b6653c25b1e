import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { parse } from "yaml";
import { atStart, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import { SopsError } from "../sops/error.ts";
import { decryptFile } from "../sops/file.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { readIfThere } from "../system/files.ts";
import { secretContracts } from "./contracts.ts";
import { serverName } from "./files.ts";
import { isRefused, keyFormFinding, keyFormOf } from "./key-form.ts";
import { parsePem, signerOf } from "./pem.ts";

/** Number of encrypted files that were decrypted to check the MAC, and the findings about the encrypted files. */
export interface Verified {
  readonly opened: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks the MAC of every encrypted file that one of the age identities can decrypt. Flux does not check the MAC. */
export async function verifyMacs(root: string, environment: Environment, identities: readonly string[]): Promise<Verified> {
  const { name } = environment.metadata;
  const paths = [signingKeysFile(name), ...secretContracts(environment).map((secret) => secretFile(name, secret.name))];
  const results = await Promise.all(paths.map((path) => verify(root, path, environment, identities)));
  return {
    opened: results.filter((result) => result === "opened").length,
    diagnostics: results.flatMap((result) => (typeof result === "string" ? [] : [result])),
  };
}

async function verify(
  root: string,
  path: string,
  environment: Environment,
  identities: readonly string[],
): Promise<"opened" | "closed" | "missing" | Diagnostic> {
  const text = readIfThere(join(root, path));
  if (text === null) return "missing";
  try {
    const plain = await decryptFile(text, { identities });
    const problem = disagreement(root, path, environment, plain);
    return problem === null
      ? (refusedForm(path, environment, plain) ?? "opened")
      : atStart(path, {
          code: "identity-invalid",
          message: problem,
          fix: "restore the file and the certificates from the same commit",
        });
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    // A damaged age key is not a problem of the file.
    if (error.problem === "no-key" || error.problem === "recipient") return "closed";
    return atStart(path, { code: "identity-invalid", message: error.message, fix: "restore the file from Git" });
  }
}

/**
 * Returns a finding if the program that reads a webhook's private key does not accept the PEM form of the key; null
 * otherwise.
 */
function refusedForm(file: string, environment: Environment, plain: string): Diagnostic | null {
  const webhook = webhooksOf(environment).find(({ secret }) => file === secretFile(environment.metadata.name, secret));
  const { data = {} } = parse(plain) as { data?: Record<string, string> };
  const form = keyFormOf(Buffer.from(data["tls.key"] ?? "", "base64").toString());
  if (webhook === undefined || form === null || !isRefused(webhook.secret, form)) return null;
  return keyFormFinding({ file, line: 1, column: 1, secret: webhook.secret, form, refused: true }, environment);
}

/**
 * Describes how a decrypted Secret differs from the public certificates; null if the Secret matches the certificates.
 */
function disagreement(root: string, path: string, environment: Environment, plain: string): string | null {
  const { data = {} } = parse(plain) as { data?: Record<string, string> };
  const [certificate, key, anchor] = ["tls.crt", "tls.key", "ca.crt"].map((field) =>
    Buffer.from(data[field] ?? "", "base64").toString(),
  );
  // The administrators' file contains only private keys. The rotation commands check these keys.
  if (!certificate || !key) return null;
  const known = (file: keyof typeof certificateFiles): X509Certificate[] =>
    parsePem(readIfThere(join(root, identityFolder(environment.metadata.name), certificateFiles[file])) ?? "");
  try {
    const own = new X509Certificate(certificate);
    if (!createPublicKey(createPrivateKey(key)).equals(own.publicKey))
      return "the private key in this Secret does not belong to the certificate in this Secret";
    const webhook = webhooksOf(environment).find(({ secret }) => path === secretFile(environment.metadata.name, secret));
    if (webhook === undefined) {
      if (!known("issuer").some((listed) => listed.raw.equals(own.raw)))
        return "the certificate in this Secret is not the certificate in issuer.crt";
      return signerOf(own, [new X509Certificate(anchor ?? "")]) !== undefined
        ? null
        : "the certificate in this Secret was not signed by ca.crt in this Secret";
    }
    if (own.checkHost(serverName(webhook)) === undefined)
      return `the certificate in this Secret is not valid for ${serverName(webhook)}`;
    return signerOf(own, known("webhookCa")) !== undefined
      ? null
      : "the certificate in this Secret was not signed by a certificate in webhook-ca.crt";
  } catch {
    return "this file or a public certificate of the environment is damaged";
  }
}
