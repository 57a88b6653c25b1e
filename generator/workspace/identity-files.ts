import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { identityFolder, secretFile } from "../emit/layout.ts";
import { parsePem, signingAnchor } from "../mesh/certificates.ts";
import { identitySecrets } from "../mesh/webhooks.ts";
import type { Identity } from "../model.ts";
import type { Diagnostic } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { wholeFile } from "./repository.ts";

/** Files with the public certificates, under environments/<env>/identity/. */
export const certificateFiles = { trustAnchors: "trust-anchors.crt", issuer: "issuer.crt", webhookCa: "webhook-ca.crt" } as const;

/**
 * Reads the public certificates of an environment and looks whether its encrypted Secrets are there.
 * Never decrypts anything.
 */
export function readIdentity(root: string, environment: Environment): { identity: Identity | null; diagnostics: Diagnostic[] } {
  const { name } = environment.metadata;
  const diagnostics: Diagnostic[] = [];
  const read = (key: keyof typeof certificateFiles): string => {
    const file = `${identityFolder(name)}/${certificateFiles[key]}`;
    try {
      const pem = readFileSync(join(root, file), "utf8").trim();
      if (parsePem(pem).length === 0) throw new Error("it holds no certificate in PEM form");
      return pem;
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      diagnostics.push(
        missing
          ? wholeFile(file, "identity-missing", `${name} has no identity yet`, `npm run sample-identity -- ${name}`)
          : wholeFile(file, "identity-invalid", `not a certificate: ${(error as Error).message}`, null),
      );
      return "";
    }
  };
  const identity: Identity = { trustAnchors: read("trustAnchors"), issuer: read("issuer"), webhookCa: read("webhookCa") };
  if (diagnostics.length > 0) return { identity: null, diagnostics: diagnostics.slice(0, 1) };
  if (signingAnchor(identity) === undefined)
    diagnostics.push(
      wholeFile(
        `${identityFolder(name)}/${certificateFiles.issuer}`,
        "identity-invalid",
        "no certificate of trust-anchors.crt signed this issuer: proxies would refuse each other",
        null,
      ),
    );
  diagnostics.push(...identitySecrets(environment).flatMap((secret) => checkSecret(root, secretFile(name, secret), name)));
  return { identity: diagnostics.length === 0 ? identity : null, diagnostics };
}

function checkSecret(root: string, file: string, environment: string): Diagnostic[] {
  if (!existsSync(join(root, file)))
    return [
      wholeFile(
        file,
        "identity-missing",
        "the environment needs this encrypted Secret",
        `npm run sample-identity -- ${environment}`,
      ),
    ];
  if (/^sops:/m.test(readFileSync(join(root, file), "utf8"))) return [];
  return [
    wholeFile(
      file,
      "identity-invalid",
      "this Secret is not encrypted with SOPS",
      "do not commit it; encrypt it with sops, and rotate the key if it was pushed",
    ),
  ];
}
