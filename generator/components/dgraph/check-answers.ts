import type { CallResult, ProbeAnswers } from "../check.ts";
import { type CheckResult, failed, undecided } from "../check-result.ts";
import { describeCall, outcomeOf } from "../outcome.ts";

/** Returns the result of a check if the call of the check failed, or if the probe did not make this call. */
export function notAsked(run: ProbeAnswers, call: CallResult | undefined, kind: "http" | "grpc"): CheckResult {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  if (call === undefined)
    return undecided("the probe ended early", "the probe's log does not contain the result of this call", run.notes);
  const denied = outcomeOf(kind, call) === "denied";
  const cause = denied
    ? { reason: "Dgraph refuses the allowed client", fix: "see test T2a" }
    : { reason: "the calls of the allowed client fail", fix: "see test T2a" };
  return failed(outcomeOf(kind, call), cause, [describeCall(call)]);
}

/**
 * Returns the JSON body of an HTTP response. Returns null if the call failed, the status is not 200, or the body is not
 * JSON.
 */
export function bodyOf({ output, exit }: CallResult): Readonly<Record<string, unknown>> | null {
  if (exit !== 0 || !/^HTTP\/\S+ 200/.test(output)) return null;
  return parsed(output.slice(output.indexOf("{")));
}

/**
 * Text of the field `json` of a query's response; empty if the response has no such field. Decodes the text, because
 * grpcurl prints bytes in base64.
 */
export function jsonOf({ output }: CallResult): string {
  const json = parsed(output)?.["json"];
  return typeof json === "string" ? Buffer.from(json, "base64").toString() : "";
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}
