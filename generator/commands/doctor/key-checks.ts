import { byRecipient } from "../../sops/age.ts";
import { SopsError } from "../../sops/error.ts";
import { inspectFile } from "../../sops/inspect.ts";
import { signingKeysFile } from "../../spec/layout.ts";
import { plural, shortRecipient } from "../../system/text.ts";
import type { DoctorCheck } from "./check.ts";

/** Encrypted files of an environment's identity. */
export interface EncryptedFiles {
  readonly environment: string;
  /** Text of each file, by path. The text is null if the file does not exist. */
  readonly files: ReadonlyMap<string, string | null>;
}

/**
 * Checks which files the age identities of the user can decrypt. The function does not decrypt the files: it compares
 * the recipients of the files with the recipients of the identities.
 */
export async function lookAtKeys(groups: readonly EncryptedFiles[], identities: readonly string[]): Promise<DoctorCheck[]> {
  const { known: recipients, damaged } = await byRecipient(identities);
  const own = groups.flatMap(({ environment, files }) => {
    const signing = [...files].filter(([path]) => path === signingKeysFile(environment));
    const others = [...files].filter(([path]) => path !== signingKeysFile(environment));
    return [keyCheck(environment, "Secrets", others, recipients), keyCheck(environment, "signing keys", signing, recipients)];
  });
  return damaged === 0 ? own : [...own, damagedKeys(damaged)];
}

function damagedKeys(count: number): DoctorCheck {
  return {
    topic: "keys",
    name: "available keys",
    status: "missing",
    found: `${plural(count, "age key")} ${count === 1 ? "is" : "are"} damaged`,
    fix: "restore the key from a backup; meshops reads keys from SOPS_AGE_KEY, from SOPS_AGE_KEY_FILE, and from sops/age/keys.txt in your configuration folder",
  };
}

function keyCheck(
  environment: string,
  what: string,
  files: readonly (readonly [path: string, text: string | null])[],
  recipients: ReadonlyMap<string, string>,
): DoctorCheck {
  const name = `${environment}, ${what}`;
  const existing = files.flatMap(([path, text]) => (text === null ? [] : [{ path, readers: readersOf(text) }]));
  if (existing.length === 0)
    return {
      topic: "keys",
      name,
      status: "error",
      found: "no encrypted files yet",
      fix: `run meshops identity init ${environment}`,
    };
  const unreadable = existing.filter(({ readers }) => !readers.some((reader) => recipients.has(reader)));
  const used = existing.flatMap(({ readers }) => readers.filter((reader) => recipients.has(reader)));
  if (unreadable.length === 0)
    return {
      topic: "keys",
      name,
      status: "ok",
      found: `${plural(existing.length, "file")} can be decrypted by ${[...new Set(used)].map(shortRecipient).join(", ")}`,
      fix: "",
    };
  // Each environment has one check for its Secrets and one for its signing keys. Add the fix for a lost key to only one
  // of these two checks, because `identity init --force` replaces both the Secrets and the signing keys.
  const lost =
    what !== "Secrets"
      ? ""
      : `; if the key is lost, run meshops identity keygen ${environment} --write --force, then meshops identity init ${environment} --force`;
  const readers = [...new Set(unreadable.flatMap((file) => file.readers))];
  return {
    topic: "keys",
    name,
    status: "missing",
    found: `${unreadable.length} of ${plural(existing.length, "file")} cannot be decrypted by any available key`,
    fix: `set SOPS_AGE_KEY_FILE to the file that contains the private key of recipient ${readers.map(shortRecipient).join(" or ")}${lost}`,
  };
}

/** Returns the age recipients of a file. Returns an empty list if the file is damaged. */
function readersOf(text: string): string[] {
  try {
    return inspectFile(text).age.map(({ recipient }) => recipient);
  } catch (error) {
    if (error instanceof SopsError) return [];
    throw error;
  }
}
