import type { ProbeAnswers } from "../check.ts";
import { type Finding, failed, passed, skipped } from "../finding.ts";
import { tellCall } from "../outcome.ts";
import { jsonOf, notAsked } from "./check-answers.ts";

/** Predicate that is written and removed again. */
export const predicate = "meshops.verify";

/** A read through the mesh. */
export function readWorks(run: ProbeAnswers): Finding {
  const call = run.results.get("read");
  return call !== undefined && call.exit === 0 ? passed("answered", [tellCall(call)]) : notAsked(run, call, "grpc");
}

/** What is written is read back. */
export function writeWorks(run: ProbeAnswers, token: string | null): Finding {
  if (token === null) return skipped("nothing is written without --write");
  const [write, reread, forget] = ["write", "reread", "forget"].map((name) => run.results.get(name));
  if (write?.exit !== 0) return notAsked(run, write, "grpc");
  const text = reread?.exit === 0 ? jsonOf(reread) : "";
  const evidence = [write, reread, forget].flatMap((call) => (call === undefined ? [] : [tellCall(call)]));
  if (!text.includes(token))
    return failed("written, not read back", "another Alpha answered from before the write, or the write was lost", evidence);
  if (forget?.exit !== 0)
    return failed(
      "written and read, not removed",
      `remove the predicate ${predicate} by hand: may the client alter the schema?`,
      evidence,
    );
  return passed("written, read back, removed", evidence);
}
