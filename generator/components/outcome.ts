import type { CallResult } from "./check.ts";

/**
 * How a call ended. `answered`: the application answered; `denied`: a proxy refused it by policy; `silent`: no answer came, as when a
 * NetworkPolicy drops packets; `broken`: a proxy answered that it cannot get through, or anything else.
 */
export type Outcome = "answered" | "denied" | "silent" | "broken";

/**
 * curl's exit codes: 7 refused, 28 no answer in time, 52, 55 and 56 cut off (curl's manual). grpcurl ends with 64 and the status' code,
 * or 1 where it cannot connect (its source, cmd/grpcurl). A proxy that refuses says 403, or the status PERMISSION_DENIED
 * (linkerd2-proxy, inbound/src/http/server.rs); one that cannot get through 502 to 504, or DEADLINE_EXCEEDED or UNAVAILABLE.
 */
export function outcomeOf(kind: "http" | "grpc", { exit, output }: CallResult): Outcome {
  if (kind === "grpc") {
    if (exit === 0) return "answered";
    if (exit === 64 + 7) return "denied";
    return exit === 1 || exit === 64 + 4 ? "silent" : "broken";
  }
  if ([7, 28, 52, 55, 56].includes(exit)) return "silent";
  const status = statusOf(output);
  if (exit !== 0 || status === null) return "broken";
  if (status === 403) return "denied";
  return status >= 500 ? "broken" : "answered";
}

/** A call's end in a line, for people. */
export function tellCall({ name, exit, output }: CallResult): string {
  const status = statusOf(output);
  const proxyError = /^l5d-proxy-error: (.*)$/im.exec(output)?.[1]?.trim();
  const last = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const words =
    status === null ? (last.find((line) => /Message:|curl:|Failed/.test(line)) ?? last[0] ?? "no output") : `HTTP ${status}`;
  return `${name}: exit ${exit}, ${words}${proxyError === undefined ? "" : ` (${proxyError})`}`.slice(0, 240);
}

/** The status of an HTTP answer with its head; null where there is none. */
function statusOf(output: string): number | null {
  const found = /^HTTP\/\S+ (\d{3})/.exec(output)?.[1];
  return found === undefined ? null : Number(found);
}
