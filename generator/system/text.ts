/**
 * Replaces control characters other than tabs with dots, because control characters could move the cursor of a terminal
 * or change its colours.
 */
export function printable(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\u2028\u2029]/gu, "\u00b7");
}

/** Compares texts by code unit. The order is the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Returns the folder of a path with forward slashes. Returns an empty text if the path has no folder. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Returns the last part of a path with forward slashes. */
export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Converts a library's message to the style of meshops: with a lower-case first letter, and without a full stop. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Returns a count with its noun, such as `1 file` or `2 files`.
 *
 * @param many plural of the noun, if it is not formed with an s
 */
export function plural(count: number, noun: string, many: string = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}

/** Whether a YAML text contains a list that is not indented relative to its key. */
export function hasFlushLists(yaml: string): boolean {
  return /^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(yaml);
}

/** Shortens an age recipient for display. Does not shorten the names of other key services. */
export function shortRecipient(recipient: string): string {
  return recipient.startsWith("age1") ? `${recipient.slice(0, 10)}…${recipient.slice(-4)}` : recipient;
}

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/**
 * Returns a duration in the largest unit that is not longer than the duration, rounded down, such as `1 day` or `16
 * seconds`.
 *
 * @param milliseconds may be negative
 */
export function duration(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [noun, size] = units.find(([, unit]) => length >= unit) ?? ["second", 1000];
  return plural(Math.floor(length / size), noun);
}

/**
 * Returns the remaining validity of a certificate, such as `364 days left` or `expired 16 seconds ago`.
 *
 * @param end in RFC 3339, or in the format of Node's X509Certificate
 */
export function timeLeft(end: string | Date, now: Date): string {
  const left = new Date(end).getTime() - now.getTime();
  return left > 0 ? `${duration(left)} left` : `expired ${duration(left)} ago`;
}

/** Joins words as alternatives: `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/**
 * Replaces private keys of age, and passwords in URLs, with asterisks. The length of the text does not change, so
 * positions in the text remain valid.
 */
export function masked(text: string): string {
  return text
    .replace(/(AGE-SECRET-KEY-1)(\w+)/gi, (_, start: string, key: string) => start + "*".repeat(key.length))
    .replace(
      /(:\/\/[^\s/:@"']*:)([^\s/@"']+)(?=@)/g,
      (_, start: string, password: string) => start + "*".repeat(password.length),
    );
}
