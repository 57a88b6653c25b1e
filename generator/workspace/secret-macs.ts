import { readFileSync } from "node:fs";
import { join } from "node:path";
import { secretFile, signingKeysFile } from "../emit/layout.ts";
import { identitySecrets } from "../mesh/webhooks.ts";
import { SopsError } from "../sops/error.ts";
import { decryptFile } from "../sops/file.ts";
import { atStart, type Diagnostic } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** How many encrypted files were opened to check their MAC, how many could not be, and what is wrong. */
export interface Verified {
  readonly opened: number;
  readonly closed: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks the MAC of every encrypted file of an environment that one of the identities opens. Flux itself does not. */
export async function verifyMacs(root: string, environment: Environment, identities: readonly string[]): Promise<Verified> {
  const { name } = environment.metadata;
  const paths = [signingKeysFile(name), ...identitySecrets(environment).map((secret) => secretFile(name, secret))];
  const results = await Promise.all(paths.map((path) => verify(root, path, identities)));
  return {
    opened: results.filter((result) => result === "opened").length,
    closed: results.filter((result) => result === "closed").length,
    diagnostics: results.flatMap((result) => (typeof result === "string" ? [] : [result])),
  };
}

async function verify(
  root: string,
  path: string,
  identities: readonly string[],
): Promise<"opened" | "closed" | "missing" | Diagnostic> {
  let text: string;
  try {
    text = readFileSync(join(root, path), "utf8");
  } catch {
    return "missing";
  }
  try {
    await decryptFile(text, { identities });
    return "opened";
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    if (error.problem === "no-key") return "closed";
    return atStart(path, { code: "identity-invalid", message: error.message, hint: "restore the file from Git" });
  }
}
