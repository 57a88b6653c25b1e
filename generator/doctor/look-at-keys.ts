import { identityToRecipient } from "age-encryption";
import { signingKeysFile } from "../emit/layout.ts";
import { SopsError } from "../sops/error.ts";
import { inspectFile } from "../sops/inspect.ts";
import { plural, shortRecipient } from "../text.ts";
import type { Check } from "./check.ts";

/** Encrypted files of an environment that belong together. */
export interface EncryptedFiles {
  readonly environment: string;
  /** Path to text; null where there is no such file. */
  readonly files: ReadonlyMap<string, string | null>;
}

/** Which of the age identities at hand open which files. The files are read, never opened. */
export async function lookAtKeys(groups: readonly EncryptedFiles[], identities: readonly string[]): Promise<Check[]> {
  const recipients = new Set(await Promise.all(identities.map((identity) => identityToRecipient(identity))));
  return groups.flatMap(({ environment, files }) => {
    const own = [...files].filter(([path]) => path === signingKeysFile(environment));
    const others = [...files].filter(([path]) => path !== signingKeysFile(environment));
    return [judge(environment, "Secrets", others, recipients), judge(environment, "signing keys", own, recipients)];
  });
}

function judge(
  environment: string,
  what: string,
  files: readonly (readonly [path: string, text: string | null])[],
  recipients: ReadonlySet<string>,
): Check {
  const name = `${environment}, ${what}`;
  const there = files.flatMap(([path, text]) => (text === null ? [] : [{ path, readers: readersOf(text) }]));
  if (there.length === 0)
    return { topic: "keys", name, status: "missing", found: "none yet", remedy: `meshops identity init ${environment}` };
  const closed = there.filter(({ readers }) => !readers.some((reader) => recipients.has(reader)));
  const opened = there.flatMap(({ readers }) => readers.filter((reader) => recipients.has(reader)));
  if (closed.length === 0)
    return {
      topic: "keys",
      name,
      status: "ok",
      found: `${plural(there.length, "file")} opened by ${[...new Set(opened)].map(shortRecipient).join(", ")}`,
      remedy: "",
    };
  // Said once an environment: with a new identity both are new.
  const lost =
    what !== "Secrets"
      ? ""
      : `, or where nobody has it: meshops identity keygen ${environment} --write --force, and identity init ${environment} --force`;
  const readers = [...new Set(closed.flatMap((file) => file.readers))];
  return {
    topic: "keys",
    name,
    status: "missing",
    found: `${closed.length} of ${plural(there.length, "file")} closed to every key at hand`,
    remedy: `name the file with the key of ${readers.map(shortRecipient).join(" or ")} in SOPS_AGE_KEY_FILE${lost}`,
  };
}

/** Recipients of a file; nobody where it is damaged. */
function readersOf(text: string): string[] {
  try {
    return inspectFile(text).age.map(({ recipient }) => recipient);
  } catch (error) {
    if (error instanceof SopsError) return [];
    throw error;
  }
}
