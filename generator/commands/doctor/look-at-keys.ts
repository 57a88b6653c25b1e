import { byRecipient } from "../../sops/age.ts";
import { SopsError } from "../../sops/error.ts";
import { inspectFile } from "../../sops/inspect.ts";
import { signingKeysFile } from "../../spec/layout.ts";
import { plural, shortRecipient } from "../../system/text.ts";
import type { DoctorCheck } from "./check.ts";

/** Encrypted files of an environment that belong together. */
export interface EncryptedFiles {
  readonly environment: string;
  /** Path to text; null where there is no such file. */
  readonly files: ReadonlyMap<string, string | null>;
}

/** Which of the age identities at hand open which files. The files are read, never opened. */
export async function lookAtKeys(groups: readonly EncryptedFiles[], identities: readonly string[]): Promise<DoctorCheck[]> {
  const { known: recipients, damaged } = await byRecipient(identities);
  const own = groups.flatMap(({ environment, files }) => {
    const signing = [...files].filter(([path]) => path === signingKeysFile(environment));
    const others = [...files].filter(([path]) => path !== signingKeysFile(environment));
    return [judge(environment, "Secrets", others, recipients), judge(environment, "signing keys", signing, recipients)];
  });
  return damaged === 0 ? own : [...own, damagedKeys(damaged)];
}

function damagedKeys(count: number): DoctorCheck {
  return {
    topic: "keys",
    name: "keys at hand",
    status: "missing",
    found: `${plural(count, "key")} damaged`,
    fix: "compare SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt with their copies",
  };
}

function judge(
  environment: string,
  what: string,
  files: readonly (readonly [path: string, text: string | null])[],
  recipients: ReadonlyMap<string, string>,
): DoctorCheck {
  const name = `${environment}, ${what}`;
  const there = files.flatMap(([path, text]) => (text === null ? [] : [{ path, readers: readersOf(text) }]));
  if (there.length === 0)
    return { topic: "keys", name, status: "error", found: "none yet", fix: `meshops identity init ${environment}` };
  const closed = there.filter(({ readers }) => !readers.some((reader) => recipients.has(reader)));
  const opened = there.flatMap(({ readers }) => readers.filter((reader) => recipients.has(reader)));
  if (closed.length === 0)
    return {
      topic: "keys",
      name,
      status: "ok",
      found: `${plural(there.length, "file")} opened by ${[...new Set(opened)].map(shortRecipient).join(", ")}`,
      fix: "",
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
    fix: `name the file with the key of ${readers.map(shortRecipient).join(" or ")} in SOPS_AGE_KEY_FILE${lost}`,
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
