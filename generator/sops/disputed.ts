import { SopsError } from "./error.ts";

/**
 * Checks that a text is valid JSON.
 *
 * @throws SopsError (syntax) if the text is not valid JSON
 */
export function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // Only the position is used, because the error message quotes the text, which may be a secret.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    const where = position === undefined ? "" : ` at line ${text.slice(0, Number(position)).split("\n").length}`;
    throw new SopsError("syntax", `the file is not valid JSON${where}`);
  }
}

/**
 * Rejects characters that end a line or the file in YAML 1.1 but not in YAML 1.2. sops and Flux parse files as YAML
 * 1.1, but meshops parses files as YAML 1.2. If a file contained such a character, the programs would read different
 * content.
 *
 * @throws SopsError (unsupported) if the text contains such a character
 */
export function refuseDisputed(text: string): void {
  if (/\r(?!\n)/.test(text))
    throw new SopsError(
      "unsupported",
      "the file contains a carriage return without a line feed",
      "write the carriage return as \\r in a double-quoted string",
    );
  if (/[\x7f-\x9f\u2028\u2029]|(?<!^)\ufeff/.test(text))
    throw new SopsError(
      "unsupported",
      "the file contains control characters, Unicode line separators or byte order marks",
      "write these characters as \\x7f, \\N, \\L, \\P or \\uFEFF in a double-quoted string",
    );
}
