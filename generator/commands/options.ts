import { InvalidArgumentError, Option } from "@commander-js/extra-typings";

/** Returns the option `--output`, which selects the format of the result. */
export function output<const T extends readonly string[]>(
  ...choices: T
): Option<"-o, --output <format>", undefined, "text", undefined, false, T[number]> {
  return new Option("-o, --output <format>", "output format").choices(choices).default("text");
}

/**
 * Returns `text` if it is a DNS label (RFC 1123), such as the name of a Service or of a namespace. Otherwise, throws an
 * error about the option.
 */
export function dnsLabel(text: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("expected at most 63 lower-case letters, digits and dashes");
}

/**
 * Returns `text` if it is a DNS name (RFC 1123). A DNS name consists of labels with dots between them. Otherwise,
 * throws an error about the option.
 */
export function dnsName(text: string): string {
  if (text.length > 253) throw new InvalidArgumentError("expected at most 253 characters");
  for (const label of text.split(".")) dnsLabel(label);
  return text;
}

/** Returns `text` if it is a duration such as 60d. Otherwise, throws an error about the option. */
export function validity(text: string): string {
  if (/^[1-9][0-9]{0,4}[hdy]$/.test(text)) return text;
  throw new InvalidArgumentError("expected a number of hours (h), days (d) or years (y), such as 60d");
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("expected a number from 1 to 65535");
}

/**
 * Returns the option `--context`, which selects the kubeconfig context of the cluster.
 *
 * @param description help text of the option. The text must include the default
 */
export function context(description: string): Option<"--context <name>"> {
  return new Option("--context <name>", description);
}

export function kubeconfig(): Option<"--kubeconfig <file>"> {
  return new Option(
    "--kubeconfig <file>",
    "kubeconfig file (default: $KUBECONFIG, or the file that meshops bootstrap wrote, or ~/.kube/config)",
  );
}

/** Returns the option `--flux-namespace`, which specifies the namespace of Flux and its objects. */
export function fluxNamespaceOption(): Option<"--flux-namespace <name>", undefined, undefined, string> {
  return new Option(
    "--flux-namespace <name>",
    "namespace of Flux and of its objects (default: the namespaces in the spec)",
  ).argParser(dnsLabel);
}

export function seconds(text: string): number {
  const count = Number(text.replace(/s$/, ""));
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("expected a number of seconds, such as 600");
}
