import { SopsError } from "./error.ts";

/** @throws SopsError (syntax) where a text is no JSON */
export function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // The message quotes the text, which may be a secret.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    const where = position === undefined ? "" : `, from line ${text.slice(0, Number(position)).split("\n").length} on`;
    throw new SopsError("syntax", `the file is no JSON${where}`);
  }
}

/** Letters at which YAML 1.1 (sops, and so Flux) ends a line or the file, and YAML 1.2 does not: the two would read different files. */
export function refuseDisputed(text: string): void {
  if (/\r(?!\n)/.test(text))
    throw new SopsError("unsupported", "the file holds a carriage return that ends no line", "write it as \\r in double quotes");
  if (/[\x7f-\x9f\u2028\u2029]|(?<!^)\ufeff/.test(text))
    throw new SopsError(
      "unsupported",
      "the file contains control characters, Unicode line separators or byte order marks",
      "write them as \\x7f, \\N, \\L, \\P or \\uFEFF in double quotes",
    );
}
