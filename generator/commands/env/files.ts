import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { withoutRules } from "../../identity/environment-rules.ts";
import { encryptedFiles } from "../../identity/read-identity.ts";
import { sopsConfigFile } from "../../identity/sops-config.ts";
import { identityFolder } from "../../spec/layout.ts";
import { pathsWithin, readIfExists, removeFile, writeAtomic } from "../../system/files.ts";
import { compareText } from "../../system/text.ts";
import { generate } from "../generate/generate.ts";
import type { Io } from "../io.ts";

/**
 * Returns the paths of the files of an environment's identity: the certificates and the encrypted files. `generate`
 * does not write these files. The paths are sorted, and are relative to the root of the repository.
 */
export function identityFilesOf(root: string, environment: string): string[] {
  const folder = identityFolder(environment);
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  return [...names.map((name) => `${folder}/${name}`), ...encryptedFiles(root, environment)].sort(compareText);
}

/** Removes the certificates and encrypted files of an environment, and its creation rules in `.sops.yaml`. */
export function removeIdentity(root: string, environment: string): void {
  const within = pathsWithin(root);
  for (const path of identityFilesOf(root, environment)) removeFile(within(path), root);
  const rules = readIfExists(join(root, sopsConfigFile));
  if (rules !== null) writeAtomic(within(sopsConfigFile), withoutRules(rules, environment));
}

/**
 * Runs `meshops generate` for all environments. This also removes the generated files of environments that no longer
 * have a spec.
 *
 * @returns the exit code
 */
export function generateAll(directory: string, io: Io): Promise<number> {
  const flags = { check: false, stdout: false, force: false, acceptScaffold: false };
  return generate([], { directory, output: "text", ...flags }, io);
}
