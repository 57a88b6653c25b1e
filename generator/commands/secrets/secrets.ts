import { isAbsolute, relative, resolve } from "node:path";
import { ageIdentities } from "../../identity/age-keys.ts";
import { type CreationRule, creationRuleFor } from "../../identity/sops-config.ts";
import { asUserError } from "../../identity/sops-problems.ts";
import { secretRule } from "../../sops/encryption-rule.ts";
import { decryptFile, encryptFile, updateKeys } from "../../sops/file.ts";
import { formatOf } from "../../sops/inspect.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { writeAtomic } from "../../system/files.ts";
import type { Io } from "../io.ts";
import { readText } from "../load.ts";

interface RecipientOptions {
  readonly directory: string;
  /** Recipients to use instead of the recipients in `.sops.yaml`. */
  readonly age?: readonly string[];
}

/**
 * `meshops secrets decrypt <file…>`: decrypts files, verifies their MACs and prints the plaintext. Prints several files
 * as one stream, with `---` between the files. If one of the files cannot be decrypted, prints no file.
 */
export async function decrypt(paths: readonly string[], _: unknown, io: Io): Promise<number> {
  paths.forEach(checkFormat);
  const identities = await ageIdentities(io.env);
  const texts: string[] = [];
  for (const path of paths)
    texts.push(await asUserError(path, async () => decryptFile(readText(io, path), { identities, format: formatOf(path) })));
  io.stdout.write(texts.join("---\n"));
  return exitCode.ok;
}

/**
 * `meshops secrets encrypt <file>`: encrypts a file and prints the result. With `--in-place`, overwrites the file
 * instead.
 */
export async function encrypt(
  [path = ""]: readonly string[],
  options: RecipientOptions & { readonly inPlace: boolean },
  io: Io,
): Promise<number> {
  checkFormat(path);
  const { recipients, rule, macOnlyEncrypted } = ruleOf(io, path, options);
  const format = formatOf(path);
  const text = await asUserError(path, () =>
    encryptFile(readText(io, path), { recipients, rule, macOnlyEncrypted, format, now: io.now() }),
  );
  if (options.inPlace) writeAtomic(resolve(io.cwd, path), text);
  else io.stdout.write(text);
  return exitCode.ok;
}

/**
 * `meshops secrets updatekeys <file…>`: changes the recipients of files to the recipients in `.sops.yaml`, or to the
 * recipients in `--age`.
 */
export async function updatekeys(paths: readonly string[], options: RecipientOptions, io: Io): Promise<number> {
  paths.forEach(checkFormat);
  const identities = await ageIdentities(io.env);
  // Compute the new text of all files before writing the first file. If one of the files cannot be decrypted, no file
  // changes.
  const updated: [path: string, before: string, after: string][] = [];
  for (const path of paths) {
    const before = readText(io, path);
    const { recipients } = ruleOf(io, path, options);
    updated.push([
      path,
      before,
      await asUserError(path, () => updateKeys(before, { identities, now: io.now(), format: formatOf(path) }, recipients)),
    ]);
  }
  for (const [path, before, after] of updated) {
    if (before !== after) writeAtomic(resolve(io.cwd, path), after);
    io.stdout.write(`${before === after ? "same   " : "update "} ${path}\n`);
  }
  return exitCode.ok;
}

/**
 * Throws a UserError if sops would use a format other than YAML or JSON for a file. sops selects the format by the file
 * extension (sops, cmd/sops/formats/formats.go, FormatForPath). meshops must not guess the format from the text: sops
 * encrypts a file in another format to a text that can be valid JSON, but the plaintext of this file is not JSON.
 */
function checkFormat(path: string): void {
  const [, ending = ""] = /\.([^./\\]+)$/.exec(path) ?? [];
  if (["yaml", "yml", "json"].includes(ending)) return;
  const format = ending === "env" ? "dotenv" : ending === "ini" ? "ini" : "binary";
  throw new UserError(
    exitCode.usage,
    `${path} is not a YAML or JSON file: for a file with this name, sops uses the format ${format}`,
    "use the sops binary for this file, for example sops decrypt",
  );
}

function ruleOf({ cwd }: Io, path: string, { directory, age }: RecipientOptions): CreationRule {
  if (age !== undefined) return { recipients: age, rule: secretRule, macOnlyEncrypted: true };
  const root = resolve(cwd, directory);
  const inside = relative(root, resolve(cwd, path)).replaceAll("\\", "/");
  if (inside.startsWith("..") || isAbsolute(inside))
    throw new UserError(exitCode.usage, `the file ${path} is not in the platform repository`, "specify recipients with --age");
  return creationRuleFor(root, inside);
}
