import { asMap } from "../data.ts";
import { outcomeOf, tellCall } from "./outcome.ts";
import type { Call, CallResult } from "./probe.ts";
import { type Finding, failed, passed, skipped, undecided } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";
import { alphaAddresses, alphasIn, type World } from "./world.ts";

/** Calls over one connection that are counted by Alpha. */
const spreadCalls = 60;
/** An Alpha's least share of them, of an even one: proxies weigh by latency, so shares are never quite even. */
const leastShare = 0.25;

const predicate = "meshops.verify";

/** What the allowed client does with Dgraph. @param token written and read back; null writes nothing */
export function dgraphCalls(world: Pick<World, "model">, token: string | null): Call[] {
  const { http, grpc } = alphaAddresses(world.model);
  const query = (name: string, request: object): Call => ({
    kind: "grpc",
    name,
    address: grpc,
    method: "api.Dgraph/Query",
    request: JSON.stringify(request),
  });
  const quads = Buffer.from(`_:probe <${predicate}> "${token}" .`).toString("base64");
  return [
    { kind: "http", name: "state", address: http, path: "/state" },
    query("read", { query: "{ q(func: has(dgraph.type), first: 1) { uid } }", readOnly: true }),
    ...(token === null
      ? []
      : [
          query("write", { mutations: [{ setNquads: quads }], commitNow: true }),
          query("reread", { query: `{ q(func: has(${predicate})) { v: ${predicate} } }`, readOnly: true }),
          {
            kind: "grpc",
            name: "forget",
            address: grpc,
            method: "api.Dgraph/Alter",
            request: JSON.stringify({ dropAttr: predicate }),
          } as const,
        ]),
    { kind: "spread", name: "spread", address: grpc, calls: spreadCalls },
  ];
}

interface Member {
  readonly leader?: boolean;
  readonly amDead?: boolean;
  readonly addr?: string;
}

/** D1 and D2, from Alpha's `/state`: Zeros with a leader and a majority; the group's Alphas, all of them, with a leader. */
export function membersHealthy(run: ProbeRun, role: "zero" | "alpha", { model }: World): Finding {
  const call = run.results.get("state");
  const state = call === undefined ? null : bodyOf(call);
  if (call === undefined || state === null) return notAsked(run, call, "http");
  const { replicas } = model.environment.spec.dgraph[role];
  const groups = Object.values(asMap(state["groups"])).map((group) => members(asMap(group)["members"]));
  const sets = role === "zero" ? [members(state["zeros"])] : groups;
  const all = sets.flat();
  const alive = all.filter(({ amDead }) => amDead !== true);
  const evidence = all.map(
    ({ addr, leader, amDead }) => `${addr}${leader === true ? ", leader" : ""}${amDead === true ? ", dead" : ""}`,
  );
  const seen = `${alive.length} of ${replicas} there`;
  const leaderless =
    sets.length === 0 || sets.some((set) => !set.some(({ leader, amDead }) => leader === true && amDead !== true));
  const quorum = alive.length > Math.floor(replicas / 2);
  if (leaderless || !quorum)
    return failed(`${seen}, no ${leaderless ? "leader" : "majority"}`, "look at the pods' logs: kubectl logs", evidence);
  if (alive.length < replicas) return failed(seen, `${replicas - alive.length} of ${role} did not join or are dead`, evidence);
  return passed(`${seen}, with a leader`, evidence);
}

/** D3: a read through the mesh. */
export function readWorks(run: ProbeRun): Finding {
  const call = run.results.get("read");
  return call !== undefined && call.exit === 0 ? passed("answered", [tellCall(call)]) : notAsked(run, call, "grpc");
}

/** D4: what is written is read back. */
export function writeWorks(run: ProbeRun, token: string | null): Finding {
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

/** D5: calls over one connection reach every Alpha. */
export function spreadEven(run: ProbeRun, world: World): Finding {
  const call = run.results.get("spread");
  if (call === undefined || call.exit !== 0) return notAsked(run, call, "grpc");
  const counts = new Map(alphasIn(world).map(({ metadata }) => [metadata.name, 0]));
  for (const [, when, pod = "", value] of call.output.matchAll(/^(before|after) .*dst_pod="([^"]+)".*} (\d+)$/gm))
    if (counts.has(pod)) counts.set(pod, (counts.get(pod) ?? 0) + Number(value) * (when === "after" ? 1 : -1));
  const evidence = [...counts].map(([pod, count]) => `${pod}: ${count} of ${spreadCalls}`);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0)
    return undecided("not counted", "the probe's proxy counts no request by pod: it does not balance them", evidence);
  const least = Math.ceil((spreadCalls / counts.size) * leastShare);
  const short = [...counts].filter(([, count]) => count < least).map(([pod]) => pod);
  if (short.length > 0)
    return failed(
      `${short.join(", ")} got fewer than ${least}`,
      "are all Alphas ready and meshed, and is gRPC's port not opaque or skipped?",
      evidence,
    );
  return passed(`every Alpha got at least ${least} of ${spreadCalls}`, evidence);
}

function notAsked(run: ProbeRun, call: CallResult | undefined, kind: "http" | "grpc"): Finding {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  if (call === undefined) return undecided("the probe ended early", "its log lacks the call", run.notes);
  const denied = outcomeOf(kind, call) === "denied";
  const cause = denied ? "the allowed client is refused: see T2a" : "the allowed client does not get through: see T2a";
  return failed(outcomeOf(kind, call), cause, [tellCall(call)]);
}

function members(value: unknown): Member[] {
  return Object.values(asMap(value)) as Member[];
}

/** The JSON after the head of an HTTP answer; null where there is none. */
function bodyOf({ output, exit }: CallResult): Readonly<Record<string, unknown>> | null {
  if (exit !== 0 || !/^HTTP\/\S+ 200/.test(output)) return null;
  return parsed(output.slice(output.indexOf("{")));
}

/** grpcurl prints bytes in base64. */
function jsonOf({ output }: CallResult): string {
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
