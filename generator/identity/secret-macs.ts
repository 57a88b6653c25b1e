import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { parse } from "yaml";
import { tlsKeys } from "../catalog/well-known.ts";
import { type Diagnostic, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import { SopsError } from "../sops/error.ts";
import { decryptFile } from "../sops/file.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { readIfExists } from "../system/files.ts";
import { secretContracts } from "./contracts.ts";
import { serverName } from "./files.ts";
import { isRefused, keyFormFinding, keyFormOf } from "./key-form.ts";
import { parsePem, signerOf } from "./pem.ts";

/** Result of `verifyMacs`: the findings, and the number of decrypted files without a finding. */
export interface Verified {
  readonly opened: number;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Decrypts the encrypted files of an environment and of its workloads. Skips files that none of the age identities can
 * decrypt. Checks the MAC of each file, because Flux does not check the MAC. For a file of the identity, also checks
 * that the decrypted Secret matches the public certificates.
 */
export async function verifyMacs(root: string, environment: Environment, identities: readonly string[]): Promise<Verified> {
  const { name } = environment.metadata;
  const paths = [signingKeysFile(name), ...secretContracts(environment).map((secret) => secretFile(name, secret.name))];
  const ofWorkloads = [...new Set(Object.values(environment.spec.workloads).flatMap(({ secrets }) => secrets))];
  const results = await Promise.all([
    ...paths.map((path) =>
      verify(root, path, "identity-invalid", identities, (plain) => wrongIdentity(root, path, environment, plain)),
    ),
    ...ofWorkloads.map((path) => verify(root, path, "workload-secret", identities, () => null)),
  ]);
  return {
    opened: results.filter((result) => result === "opened").length,
    diagnostics: results.flatMap((result) => (typeof result === "string" ? [] : [result])),
  };
}

/** @param problemIn returns the finding about the decrypted text of the file; null if the text is correct */
async function verify(
  root: string,
  path: string,
  code: "identity-invalid" | "workload-secret",
  identities: readonly string[],
  problemIn: (plain: string) => Diagnostic | null,
): Promise<"opened" | "closed" | "missing" | Diagnostic> {
  const text = readIfExists(join(root, path));
  if (text === null) return "missing";
  try {
    return problemIn(await decryptFile(text, { identities })) ?? "opened";
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    // Report no finding about the file if no identity can decrypt the file, or if an age key of the user is damaged.
    if (error.problem === "no-key" || error.problem === "recipient") return "closed";
    return fileDiagnostic(path, { code, message: error.message, fix: "restore the file from Git" });
  }
}

function wrongIdentity(root: string, path: string, environment: Environment, plain: string): Diagnostic | null {
  const message = disagreement(root, path, environment, plain);
  if (message === null) return refusedForm(path, environment, plain);
  return fileDiagnostic(path, {
    code: "identity-invalid",
    message,
    fix: `restore this file and the .crt files in ${identityFolder(environment.metadata.name)} from the same Git commit`,
  });
}

/**
 * Returns a finding if the file contains the private key of a webhook in a PEM form that the webhook's program rejects.
 * Otherwise, returns null.
 */
function refusedForm(file: string, environment: Environment, plain: string): Diagnostic | null {
  const webhook = webhooksOf(environment).find(({ secret }) => file === secretFile(environment.metadata.name, secret));
  const { data = {} } = parse(plain) as { data?: Record<string, string> };
  const form = keyFormOf(Buffer.from(data[tlsKeys.privateKey] ?? "", "base64").toString());
  if (webhook === undefined || form === null || !isRefused(webhook.secret, form)) return null;
  return keyFormFinding({ file, line: 1, column: 1, secret: webhook.secret, form, refused: true }, environment);
}

/**
 * Returns a message that describes how a decrypted Secret differs from the public certificates of the environment.
 * Returns null if the Secret matches the certificates.
 */
function disagreement(root: string, path: string, environment: Environment, plain: string): string | null {
  const { data = {} } = parse(plain) as { data?: Record<string, string> };
  const [certificate, key, anchor] = [tlsKeys.certificate, tlsKeys.privateKey, tlsKeys.anchor].map((field) =>
    Buffer.from(data[field] ?? "", "base64").toString(),
  );
  // The file with the signing keys contains no certificate. The rotation commands check that these keys belong to the
  // certificates.
  if (!certificate || !key) return null;
  const known = (file: keyof typeof certificateFiles): X509Certificate[] =>
    parsePem(readIfExists(join(root, identityFolder(environment.metadata.name), certificateFiles[file])) ?? "");
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
    return `this file is damaged, or a .crt file in ${identityFolder(environment.metadata.name)} is damaged`;
  }
}
