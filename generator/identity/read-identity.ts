import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { secretNames } from "../catalog/well-known.ts";
import { type Diagnostic, fileDiagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import {
  certificateFiles,
  environmentsFolder,
  identityFolder,
  isEncryptedFile,
  overlayFolder,
  secretFile,
  signingKeysFile,
  specFile,
} from "../spec/layout.ts";
import { hasExternalIdentity, recipientsOf } from "../spec/ownership.ts";
import { readIfExists } from "../system/files.ts";
import { stateFolder } from "../system/state-folder.ts";
import { plural } from "../system/text.ts";
import { secretContracts } from "./contracts.ts";
import { type Identity, noIdentity } from "./identity.ts";
import { keyFormFinding, oldWebhookKeys } from "./key-form.ts";
import { parsePem, signerOf } from "./pem.ts";
import { checkSecret, checkSigningKeys } from "./secret-check.ts";
import { journalFile } from "./transaction.ts";

/**
 * Returns the paths of all encrypted Secrets that exist in the folder `identity` of an environment's overlay. Also
 * includes Secrets that the environment does not need.
 */
export function encryptedFiles(root: string, environment: string): string[] {
  const folder = overlayFolder(environment, "identity");
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  return names.filter(isEncryptedFile).map((name) => `${folder}/${name}`);
}

/**
 * The identity of an environment, and the findings about the identity. The identity is null if one of the findings is
 * an error.
 */
export interface IdentityResult {
  readonly identity: Identity | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the public certificates of an environment, and checks that the environment's Secrets exist and are encrypted.
 * Never decrypts a file. If another program issues the certificates (see `hasExternalIdentity`), the identity contains
 * no certificates. From each certificate file, the function returns only the certificates, so that other content of the
 * file is not copied to the bundle.
 */
export function readIdentity(root: string, environment: Environment): IdentityResult {
  if (hasExternalIdentity(environment)) return { identity: noIdentity, diagnostics: unusedFiles(root, environment) };
  const { name } = environment.metadata;
  const invalid = (file: string, message: string, fix: string | null = null): Diagnostic =>
    fileDiagnostic(file, { code: "identity-invalid", message, fix });
  const missing = (file: string, message: string, fix: string): Diagnostic =>
    fileDiagnostic(file, { code: "identity-missing", message, fix });
  const diagnostics: Diagnostic[] = [];
  if (existsSync(join(root, journalFile)))
    diagnostics.push(
      invalid(
        journalFile,
        "a meshops command was interrupted while it wrote identity files. Some of these files can be out of date",
        "run meshops generate to complete the change",
      ),
    );

  const read = (file: string, what: string, fix: string): string | null => {
    try {
      return readFileSync(join(root, file), "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      diagnostics.push(code === "ENOENT" ? missing(file, what, fix) : invalid(file, `the file cannot be read: ${message}`));
      return null;
    }
  };
  const certificates = (key: Exclude<keyof typeof certificateFiles, "webhooks">): string => {
    const file = `${identityFolder(name)}/${certificateFiles[key]}`;
    const [what, fix] = isPartial(root, name)
      ? [
          `this certificate file is missing, but other files of the identity of ${name} exist`,
          `restore the file from Git: git checkout HEAD -- ${file}`,
        ]
      : [`the environment ${name} has no identity (certificates and encrypted keys)`, initOrRename(root, environment)];
    const text = read(file, what, fix);
    if (text === null) return "";
    const pem = certificatesOf(text);
    if (text.includes("PRIVATE KEY"))
      diagnostics.push(
        invalid(
          file,
          "the file contains a private key in plaintext",
          "remove the private key; if the file was ever pushed, also create a new identity with meshops identity init --force",
        ),
      );
    else if (pem === null)
      diagnostics.push(invalid(file, "the file contains no certificate in PEM format, or one of its certificates is damaged"));
    return pem ?? "";
  };

  const identity: Identity = {
    trustAnchors: certificates("trustAnchors"),
    issuer: certificates("issuer"),
    webhookCa: certificates("webhookCa"),
  };
  if (diagnostics.length > 0) return { identity: null, diagnostics: onlyFirstMissing(diagnostics) };
  if (signerOf(parsePem(identity.issuer)[0], parsePem(identity.trustAnchors)) === undefined)
    diagnostics.push(
      invalid(
        `${identityFolder(name)}/${certificateFiles.issuer}`,
        "no certificate in trust-anchors.crt signed this issuer. Proxies would reject each other's certificates",
      ),
    );
  for (const secret of secretContracts(environment)) {
    const file = secretFile(name, secret.name);
    const text = read(
      file,
      `this file is missing, but the environment ${name} needs the encrypted Secret in this file`,
      `run meshops identity ${secret.name === secretNames.issuer ? "rotate-issuer" : "rotate-webhooks"} ${name}`,
    );
    const problem = text === null ? null : checkSecret(text, secret, environment);
    if (problem !== null) diagnostics.push(invalid(file, problem.message, problem.fix));
  }
  const keys = readIfExists(join(root, signingKeysFile(name)));
  const problem = keys === null ? null : checkSigningKeys(keys, environment);
  if (problem !== null) diagnostics.push(invalid(signingKeysFile(name), problem.message, problem.fix));
  if (diagnostics.length > 0) return { identity: null, diagnostics };
  const oldKeys = oldWebhookKeys(environment, (path) => readIfExists(join(root, path)));
  diagnostics.push(...oldKeys.map((key) => keyFormFinding(key, environment)));
  return { identity: hasErrors(diagnostics) ? null : identity, diagnostics };
}

/**
 * Returns a warning if files of an identity exist, although another program issues the certificates of the environment.
 */
function unusedFiles(root: string, { metadata: { name } }: Environment): Diagnostic[] {
  const files = [...filesOf(root, name), signingKeysFile(name)].filter((file) => existsSync(join(root, file)));
  const [first] = files;
  if (first === undefined) return [];
  const folders = [...new Set(files.map((file) => file.slice(0, file.lastIndexOf("/"))))];
  return [
    {
      ...fileDiagnostic(first, {
        code: "identity-unused",
        message: `${plural(files.length, "identity file")} of ${name} ${files.length === 1 ? "is" : "are"} not used, because another program issues the certificates`,
        fix: `when the cluster no longer uses this identity, run git rm -r ${folders.join(" ")}, and remove the rules for these files from .sops.yaml`,
      }),
      severity: "warning",
    },
  ];
}

/** Whether at least one public certificate file or encrypted Secret of an environment's identity exists. */
function isPartial(root: string, name: string): boolean {
  return filesOf(root, name).some((file) => existsSync(join(root, file)));
}

/**
 * Returns the paths of an environment's identity files: the encrypted Secrets that exist, and the three certificate
 * files, which may be missing.
 */
function filesOf(root: string, name: string): string[] {
  return [
    ...encryptedFiles(root, name),
    `${identityFolder(name)}/${certificateFiles.trustAnchors}`,
    `${identityFolder(name)}/${certificateFiles.issuer}`,
    `${identityFolder(name)}/${certificateFiles.webhookCa}`,
  ];
}

/**
 * Returns the fix for an environment without an identity. If a user renamed a spec without `meshops env rename`, the
 * identity files are still in the folders of the old name. A new identity would then split the running mesh, because
 * proxies with the old and the new certificates do not trust each other. The function therefore searches for the folder
 * of an environment that has no spec file, and whose Secrets are encrypted to the age keys of the given environment.
 */
function initOrRename(root: string, environment: Environment): string {
  const { name } = environment.metadata;
  const inventory = readIfExists(join(root, stateFolder, `${name}.json`));
  // The inventory shows whether the generated files included an identity. If the inventory lists overlays, but no
  // overlay `identity`, another program issued the certificates. If the inventory lists no overlays, it is damaged, and
  // the fix assumes that an identity existed.
  const wasGenerated =
    inventory !== null && !(/"overlays\//.test(inventory) && !inventory.includes(`${overlayFolder(name, "identity")}/`));
  const init = `${wasGenerated ? `restore the identity from Git: the generated files of ${name} still contain its certificates; if the cluster never used this identity, ` : ""}run meshops identity init ${name}; if Linkerd already runs in the cluster, set linkerd.identity.provider: external instead`;
  const folder = join(root, environmentsFolder);
  const folders = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
  const old = folders.find((entry) => {
    if (existsSync(join(root, specFile(entry.name)))) return false;
    const [encrypted] = encryptedFiles(root, entry.name);
    const text = encrypted === undefined ? "" : (readIfExists(join(root, encrypted)) ?? "");
    return recipientsOf(environment).age.every((recipient) => text.includes(recipient));
  });
  return old === undefined
    ? init
    : `if ${name} is the new name of ${old.name}, run meshops env rename ${old.name} ${name}; otherwise, ${init}`;
}

/**
 * Removes all findings about missing files except the first one, because a single command creates all three certificate
 * files.
 */
function onlyFirstMissing(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const first = diagnostics.find(({ code }) => code === "identity-missing");
  return diagnostics.filter((diagnostic) => diagnostic.code !== "identity-missing" || diagnostic === first);
}

/**
 * Returns the certificates in a PEM text as PEM, with LF line breaks and without a trailing newline. All other content
 * of the text is removed. Returns null if the text contains no certificate, or if one of its certificates is damaged.
 */
function certificatesOf(text: string): string | null {
  try {
    const pem = parsePem(text).map((certificate) => certificate.toString().trim());
    return pem.length === 0 ? null : pem.join("\n");
  } catch {
    return null;
  }
}
