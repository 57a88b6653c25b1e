import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { secretNames } from "../catalog/well-known.ts";
import { atStart, type Diagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, isEncryptedFile, overlayFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { readIfThere } from "../system/files.ts";
import { secretContracts } from "./contracts.ts";
import type { Identity } from "./identity.ts";
import { keyFormFinding, oldWebhookKeys } from "./key-form.ts";
import { parsePem, signingAnchor } from "./pem.ts";
import { checkSecret, checkSigningKeys } from "./secret-check.ts";
import { journalFile } from "./transaction.ts";

/** The encrypted Secrets that an environment's overlay has on disk, whichever it needs. */
export function encryptedFiles(root: string, environment: string): string[] {
  const folder = overlayFolder(environment, "identity");
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  return names.filter(isEncryptedFile).map((name) => `${folder}/${name}`);
}

/** The identity of an environment, or what is missing or wrong about it. */
export interface IdentityResult {
  readonly identity: Identity | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the public certificates of an environment and looks whether its encrypted Secrets are there and encrypted.
 * Never decrypts anything, and passes nothing on but certificates: what else a file holds stays out of the bundle.
 */
export function readIdentity(root: string, environment: Environment): IdentityResult {
  const { name } = environment.metadata;
  const invalid = (file: string, message: string, fix: string | null = null): Diagnostic =>
    atStart(file, { code: "identity-invalid", message, fix });
  const missing = (file: string, message: string, command: string): Diagnostic =>
    atStart(file, { code: "identity-missing", message, fix: `meshops identity ${command} ${name}` });
  const diagnostics: Diagnostic[] = [];
  if (existsSync(join(root, journalFile)))
    diagnostics.push(invalid(journalFile, "an interrupted run left an identity half changed", "meshops generate finishes it"));

  const read = (file: string, what: string, command: string): string | null => {
    try {
      return readFileSync(join(root, file), "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      diagnostics.push(code === "ENOENT" ? missing(file, what, command) : invalid(file, `the file cannot be read: ${message}`));
      return null;
    }
  };
  const certificates = (key: Exclude<keyof typeof certificateFiles, "webhooks">): string => {
    const file = `${identityFolder(name)}/${certificateFiles[key]}`;
    const text = read(file, `${name} has no identity yet`, "init");
    if (text === null) return "";
    const pem = certificatesOf(text);
    if (text.includes("PRIVATE KEY"))
      diagnostics.push(
        invalid(
          file,
          "the file holds a private key in plaintext",
          "take it out, and make a new identity if the file was ever pushed",
        ),
      );
    else if (pem === null) diagnostics.push(invalid(file, "the file holds no certificate in PEM form, or a broken one"));
    return pem ?? "";
  };

  const identity: Identity = {
    trustAnchors: certificates("trustAnchors"),
    issuer: certificates("issuer"),
    webhookCa: certificates("webhookCa"),
  };
  if (diagnostics.length > 0) return { identity: null, diagnostics: onlyFirstMissing(diagnostics) };
  if (signingAnchor(parsePem(identity.trustAnchors), parsePem(identity.issuer)[0]) === undefined)
    diagnostics.push(
      invalid(
        `${identityFolder(name)}/${certificateFiles.issuer}`,
        "no certificate of trust-anchors.crt signed this issuer: proxies would refuse each other",
      ),
    );
  for (const secret of secretContracts(environment)) {
    const file = secretFile(name, secret.name);
    const text = read(
      file,
      "the environment needs this encrypted Secret",
      secret.name === secretNames.issuer ? "rotate-issuer" : "rotate-webhooks",
    );
    const problem = text === null ? null : checkSecret(text, secret, environment);
    if (problem !== null) diagnostics.push(invalid(file, problem.message, problem.fix));
  }
  const keys = readIfThere(join(root, signingKeysFile(name)));
  const problem = keys === null ? null : checkSigningKeys(keys, environment);
  if (problem !== null) diagnostics.push(invalid(signingKeysFile(name), problem.message, problem.fix));
  if (diagnostics.length > 0) return { identity: null, diagnostics };
  const oldKeys = oldWebhookKeys(environment, (path) => readIfThere(join(root, path)));
  diagnostics.push(...oldKeys.map((key) => keyFormFinding(key, environment)));
  return { identity: hasErrors(diagnostics) ? null : identity, diagnostics };
}

/** Where all three certificates are missing, one message is enough. */
function onlyFirstMissing(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const first = diagnostics.find(({ code }) => code === "identity-missing");
  return diagnostics.filter((diagnostic) => diagnostic.code !== "identity-missing" || diagnostic === first);
}

/** The certificates of a text and nothing else of it, with LF and without a trailing newline; null where there is none. */
function certificatesOf(text: string): string | null {
  try {
    const pem = parsePem(text).map((certificate) => certificate.toString().trim());
    return pem.length === 0 ? null : pem.join("\n");
  } catch {
    return null;
  }
}
