import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeIssuer, makeTrustAnchor, makeWebhookCa } from "../generator/identity/authority.ts";
import { certificateFiles, identityFolder, overlayFolder, specFile } from "../generator/spec/layout.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Returns the name of an environment in the fleet. */
export function nameOf(index: number): string {
  return `env-${String(index).padStart(4, "0")}`;
}

/**
 * Writes a platform repository with many environments that extend the same base. Each environment has its own cluster,
 * resource group, branch, trust anchors, issuer and webhook CA, so that all bundles differ. The encrypted Secrets are
 * copies of the encrypted Secrets of the sample environment dev.
 */
export function makeFleet(folder: string, count: number): void {
  mkdirSync(join(folder, "environments"), { recursive: true });
  cpSync(join(root, "bases"), join(folder, "bases"), { recursive: true });
  cpSync(join(root, "environments/base.yaml"), join(folder, "environments/base.yaml"));
  const sample = readFileSync(join(root, "environments/dev.yaml"), "utf8");
  const secrets = readdirSync(join(root, overlayFolder("dev", "identity"))).filter((file) => file.endsWith(".sops.yaml"));
  for (let index = 0; index < count; index += 1) {
    const name = nameOf(index);
    const own = sample.replace("name: dev\n", `name: ${name}\n`).replaceAll("netpolmesh-test", name);
    mkdirSync(join(folder, overlayFolder(name, "identity")), { recursive: true });
    write(folder, specFile(name), own.replace("  secrets:\n", `  gitops: {branch: ${name}}\n  secrets:\n`));
    cpSync(join(root, identityFolder("dev")), join(folder, identityFolder(name)), { recursive: true });
    for (const [file, text] of Object.entries(certificates())) write(folder, `${identityFolder(name)}/${file}`, text);
    for (const secret of secrets)
      cpSync(join(root, overlayFolder("dev", "identity"), secret), join(folder, overlayFolder(name, "identity"), secret));
  }
}

const names = { trustDomain: "cluster.local", anchorValidity: "10y", issuerValidity: "1y", webhookValidity: "1y" };

function certificates(): Record<string, string> {
  const now = new Date();
  const anchor = makeTrustAnchor(names, now);
  return {
    [certificateFiles.trustAnchors]: anchor.certificate,
    [certificateFiles.issuer]: makeIssuer(names, anchor, now).certificate,
    [certificateFiles.webhookCa]: makeWebhookCa(names, now).certificate,
  };
}

function write(folder: string, path: string, text: string): void {
  writeFileSync(join(folder, path), text, { flush: false });
}
