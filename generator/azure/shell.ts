/** A text as one word of a POSIX shell, whatever it holds (NUL, which no argument can hold, aside). */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
