import type { CallResult } from "./check.ts";

/**
 * Outcome of a call. `answered`: the application answered. `denied`: a proxy refused the call because of a policy.
 * `silent`: no answer, for example because a NetworkPolicy drops the packets. `broken`: any other error, for example
 * because a proxy could not reach the application.
 */
export type Outcome = "answered" | "denied" | "silent" | "broken";

/**
 * Classifies the result of a call. curl exits with 7 if the connection is refused, with 28 if no answer arrives in
 * time, and with 52, 55 or 56 if the connection is closed (curl's manual). grpcurl exits with 64 plus the status code,
 * or with 1 if it cannot connect (source of grpcurl, cmd/grpcurl). A proxy that refuses a call answers with 403 or the
 * status PERMISSION_DENIED (linkerd2-proxy, inbound/src/http/server.rs). A proxy that cannot reach the application
 * answers with 502 to 504, DEADLINE_EXCEEDED or UNAVAILABLE. A connection without a request (`tcp`) counts as answered
 * if it stays open until the time limit of curl.
 */
export function outcomeOf(kind: "http" | "http2" | "grpc" | "tcp" | "tls", { exit, output }: CallResult): Outcome {
  // A server that requires a client certificate ends the handshake with an alert. This alert also counts as an answer.
  if (kind === "tls") return exit === 0 || /alert|certificate/i.test(output) ? "answered" : "silent";
  if (kind === "tcp") return /\(28\)/.test(output) && !/^connected 0(\.0+)?$/m.test(output) ? "answered" : "silent";
  if (kind === "grpc") {
    if (exit === 0) return "answered";
    if (exit === 64 + 7) return "denied";
    return exit === 1 || exit === 64 + 4 ? "silent" : "broken";
  }
  if ([7, 28, 52, 55, 56].includes(exit)) return "silent";
  const status = statusOf(output);
  if (exit !== 0 || status === null) return "broken";
  if (status === 403 || /^grpc-status: 7\s*$/im.test(output)) return "denied";
  return status >= 500 ? "broken" : "answered";
}

/** Whether the output contains a response. */
export function hasResponse({ output }: CallResult): boolean {
  return statusOf(output) !== null;
}

/**
 * Whether a proxy sent the response. A proxy adds the header `l5d-proxy-error` to its error responses (linkerd2-proxy,
 * app/core/src/errors).
 */
export function isFromProxy({ output }: CallResult): boolean {
  return /^l5d-proxy-error: /im.test(output);
}

/** Describes the result of a call in one line of at most 240 characters. */
export function describeCall({ name, exit, output }: CallResult): string {
  const status = statusOf(output);
  const proxyError = /^l5d-proxy-error: (.*)$/im.exec(output)?.[1]?.trim();
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const summary =
    status === null ? (lines.find((line) => /Message:|curl:|Failed/.test(line)) ?? lines[0] ?? "no output") : `HTTP ${status}`;
  return `${name}: exit ${exit}, ${summary}${proxyError === undefined ? "" : ` (${proxyError})`}`.slice(0, 240);
}

/**
 * Returns the status code of an HTTP response that curl printed together with the headers; null if the output contains
 * no response.
 */
function statusOf(output: string): number | null {
  const found = /^HTTP\/\S+ (\d{3})/.exec(output)?.[1];
  return found === undefined ? null : Number(found);
}
