import type { ProbeAnswers } from "../check.ts";
import { type CheckResult, failed, passed, skipped } from "../check-result.ts";
import { describeCall } from "../outcome.ts";
import { jsonOf, notAsked } from "./check-answers.ts";

/** Dgraph predicate that the write test creates and removes. */
export const predicate = "meshops.verify";

/** Checks that a client can read through the mesh. */
export function readWorks(run: ProbeAnswers): CheckResult {
  const call = run.results.get("read");
  return call !== undefined && call.exit === 0
    ? passed("Dgraph answered a query", [describeCall(call)])
    : notAsked(run, call, "grpc");
}

/** Checks that a written value can be read back and removed. */
export function writeWorks(run: ProbeAnswers, token: string | null): CheckResult {
  if (token === null) return skipped("this test runs only with --write");
  const [write, reread, forget] = ["write", "reread", "forget"].map((name) => run.results.get(name));
  if (write?.exit !== 0) return notAsked(run, write, "grpc");
  const text = reread?.exit === 0 ? jsonOf(reread) : "";
  const evidence = [write, reread, forget].flatMap((call) => (call === undefined ? [] : [describeCall(call)]));
  if (!text.includes(token))
    return failed(
      "the value was written, but not read back",
      "the Alpha that answered did not have the new value yet, or the write was lost",
      evidence,
    );
  if (forget?.exit !== 0)
    return failed(
      "the value was written and read back, but not removed",
      { fix: `remove the predicate ${predicate} manually, and check whether the client is allowed to alter the schema` },
      evidence,
    );
  return passed("a value was written, read back and removed", evidence);
}
