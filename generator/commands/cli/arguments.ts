import { InvalidArgumentError, Option } from "@commander-js/extra-typings";

/** `--output`: how a command prints its answer. */
export function output<const T extends readonly string[]>(
  ...choices: T
): Option<"-o, --output <format>", undefined, "text", undefined, false, T[number]> {
  return new Option("-o, --output <format>", "how to print").choices(choices).default("text");
}

/** A DNS label, as Services and namespaces are named (RFC 1123). */
export function dnsLabel(text: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("expected at most 63 lower-case letters, digits and dashes");
}

/** A DNS name (RFC 1123): labels joined by dots. */
export function dnsName(text: string): string {
  if (text.length > 253) throw new InvalidArgumentError("expected at most 253 characters");
  for (const label of text.split(".")) dnsLabel(label);
  return text;
}

/** A time such as 60d. */
export function validity(text: string): string {
  if (/^[1-9][0-9]{0,4}[hdy]$/.test(text)) return text;
  throw new InvalidArgumentError("expected a number with h, d or y, such as 60d");
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("expected a number from 1 to 65535");
}
