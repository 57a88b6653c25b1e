import type { DgraphRole } from "../../catalog/dgraph.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { asMap } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import type { ProbeAnswers } from "../check.ts";
import { type CheckResult, failed, passed } from "../check-result.ts";
import { bodyOf, notAsked } from "./check-answers.ts";

interface Member {
  readonly leader?: boolean;
  readonly amDead?: boolean;
  readonly addr?: string;
}

/**
 * Checks the members of a role in the output of Alpha's `/state`. All replicas must be alive. The Zeros and each group
 * of Alphas must have a leader.
 */
export function membersHealthy(run: ProbeAnswers, role: DgraphRole, replicas: number): CheckResult {
  const call = run.results.get("state");
  const state = call === undefined ? null : bodyOf(call);
  if (call === undefined || state === null) return notAsked(run, call, "http");
  const groups = Object.values(asMap(state["groups"])).map((group) => members(at(group, "members")));
  const sets = role === "zero" ? [members(state["zeros"])] : groups;
  const all = sets.flat();
  const alive = all.filter(({ amDead }) => amDead !== true);
  const evidence = all.map(
    ({ addr, leader, amDead }) => `${addr}${leader === true ? ", leader" : ""}${amDead === true ? ", dead" : ""}`,
  );
  const seen = `${alive.length} of ${replicas} ${role === "zero" ? "Zeros" : "Alphas"} alive`;
  const leaderless =
    sets.length === 0 || sets.some((set) => !set.some(({ leader, amDead }) => leader === true && amDead !== true));
  const quorum = alive.length > Math.floor(replicas / 2);
  if (leaderless || !quorum)
    return failed(
      `${seen}, no ${leaderless ? "leader" : "majority"}`,
      { fix: "check the logs of the pods: kubectl logs" },
      evidence,
    );
  if (alive.length < replicas)
    return failed(
      seen,
      `${plural(replicas - alive.length, role === "zero" ? "Zero" : "Alpha")} ${replicas - alive.length === 1 ? "is" : "are"} missing or dead`,
      evidence,
    );
  return passed(`${seen}, with a leader`, evidence);
}

function members(value: unknown): Member[] {
  return Object.values(asMap(value)) as Member[];
}
