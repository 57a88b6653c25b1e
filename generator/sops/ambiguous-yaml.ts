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
    // Report only the position from the error of JSON.parse. The message of this error quotes the text, and the text
    // may be a secret.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    const where = position === undefined ? "" : ` at line ${text.slice(0, Number(position)).split("\n").length}`;
    throw new SopsError("syntax", `the file is not valid JSON${where}`);
  }
}

/**
 * Rejects characters that parsers for YAML 1.1 and parsers for YAML 1.2 can treat differently: a carriage return
 * without a line feed, control characters, Unicode line separators, and byte order marks that are not at the start of
 * the file. sops and Flux parse files as YAML 1.1, but meshops parses files as YAML 1.2. If a file contained such a
 * character, meshops could read other content than sops and Flux.
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
