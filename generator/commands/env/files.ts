import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { identityFolder, isEncryptedFile, overlayFolder } from "../../spec/layout.ts";
import { compareText } from "../../system/text.ts";

/**
 * Files of an environment that `generate` does not write: certificates and encrypted files, by path from the root,
 * sorted.
 */
export function identityFilesOf(root: string, environment: string): string[] {
  const list = (folder: string): string[] =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [];
  const encrypted = list(overlayFolder(environment, "identity")).filter(isEncryptedFile);
  return [...list(identityFolder(environment)), ...encrypted].sort(compareText);
}
