import { join } from "node:path";
import { type Diagnostic, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder } from "../spec/layout.ts";
import { readIfExists } from "../system/files.ts";
import { certificatesIn, fingerprint } from "./pem.ts";

/**
 * Returns a finding for each environment whose issuer is also the issuer of an earlier environment. If a user can read
 * the issuer's private key in the cluster of one environment, this user can issue certificates that the cluster of the
 * other environment trusts. The usual cause is a copied folder.
 */
export function sharedIssuers(root: string, environments: readonly Environment[]): Diagnostic[] {
  const owners = new Map<string, string>();
  return environments.flatMap(({ metadata: { name } }) => {
    const file = `${identityFolder(name)}/${certificateFiles.issuer}`;
    const [issuer] = certificatesIn(readIfExists(join(root, file)) ?? "").map(fingerprint);
    if (issuer === undefined) return [];
    const owner = owners.get(issuer);
    if (owner === undefined) owners.set(issuer, name);
    return owner === undefined
      ? []
      : [
          {
            ...fileDiagnostic(file, {
              code: "issuer-shared",
              message: `${name} and ${owner} have the same issuer. Each of the two clusters can issue certificates that the other cluster trusts`,
              fix: `if ${name} does not run yet, run meshops identity init ${name} --force; otherwise, replace its trust anchor with meshops identity rotate-anchor ${name} (three steps), and the certificates of its webhooks with meshops identity rotate-webhooks ${name}`,
            }),
            severity: "warning",
          },
        ];
  });
}
