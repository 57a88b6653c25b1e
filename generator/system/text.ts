/** A text for a terminal: control characters, which could move the cursor or change its colours, become dots. Tabs stay. */
export function printable(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\u2028\u2029]/gu, "\u00b7");
}

/** Compares by code unit, the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The folder of a path with forward slashes; empty where it has none. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** A library's sentence as part of one of ours: without capital and full stop. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1 file`, `2 files`. @param many plural of nouns that do not take an s */
export function plural(count: number, noun: string, many: string = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}

/** Whether a YAML text has a list that stands no deeper than its key. */
export function hasFlushLists(yaml: string): boolean {
  return /^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(yaml);
}

/** An age recipient, short enough to be compared by eye; any other name as it is. */
export function shortRecipient(recipient: string): string {
  return recipient.startsWith("age1") ? `${recipient.slice(0, 10)}…${recipient.slice(-4)}` : recipient;
}

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** A duration in its largest whole unit, such as `1 day` or `16 seconds`. @param milliseconds of either sign */
export function duration(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [noun, size] = units.find(([, unit]) => length >= unit) ?? ["second", 1000];
  return plural(Math.floor(length / size), noun);
}

/** Validity of a certificate at a time: `364 days left`, or `expired 16 seconds ago`. @param end RFC 3339 or the form of Node's X.509 */
export function timeLeft(end: string | Date, now: Date): string {
  const left = new Date(end).getTime() - now.getTime();
  return left > 0 ? `${duration(left)} left` : `expired ${duration(left)} ago`;
}
