/**
 * Quotes a text as one word for a POSIX shell. The text can contain any character except NUL. (Arguments of programs
 * cannot contain NUL.)
 */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns a text as one word for a POSIX shell. Quotes the text only if necessary. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : shellQuote(text);
}
