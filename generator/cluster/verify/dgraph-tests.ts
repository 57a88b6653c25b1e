import { dgraphPorts } from "../../catalog/dgraph.ts";
import { portKeys } from "../../catalog/well-known.ts";
import { condition } from "../../kubernetes/object-fields.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { includes, parsePorts } from "../../mesh/ports.ts";
import { asMap } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import { alphaAddresses, alphasIn, type ClusterState } from "./cluster-state.ts";
import { outcomeOf, tellCall } from "./outcome.ts";
import type { Call, CallResult } from "./probe.ts";
import { type Finding, failed, passed, skipped, undecided } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";

/** Seconds in which every Alpha should have answered. */
const spreadSeconds = 30;

const predicate = "meshops.verify";

/** What the allowed client does with Dgraph. @param token written and read back; null writes nothing */
export function dgraphCalls(clusterState: Pick<ClusterState, "model" | "pods">, token: string | null): Call[] {
  const { http, grpc } = alphaAddresses(clusterState.model);
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
    { kind: "spread", name: "spread", address: grpc, seconds: spreadSeconds, endpoints: readyAlphas(clusterState) },
  ];
}

interface Member {
  readonly leader?: boolean;
  readonly amDead?: boolean;
  readonly addr?: string;
}

/** D1 and D2, from Alpha's `/state`: Zeros with a leader and a majority; the group's Alphas, all of them, with a leader. */
export function membersHealthy(run: ProbeRun, role: "zero" | "alpha", { model }: ClusterState): Finding {
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

/**
 * D5: calls over one connection reach every ready Alpha. A proxy balances by latency (power of two choices over a peak-EWMA, linkerd2-proxy
 * linkerd/proxy/balance), so shares are not even: of 60 calls within 0.1 s one of three Alphas got none on a healthy mesh. What holds: more than
 * one Alpha answers within the first second, and every one answers in time.
 */
export function callsSpread(run: ProbeRun, clusterState: ClusterState): Finding {
  const call = run.results.get("spread");
  if (call === undefined || call.exit !== 0) return notAsked(run, call, "grpc");
  const [first, all] = ["first", "all"].map(
    (when) =>
      new Map(
        [...call.output.matchAll(new RegExp(`^${when} (\\S+) (\\d+)$`, "gm"))].map(([, pod = "", count]) => [pod, Number(count)]),
      ),
  );
  const ready = readyAlphas(clusterState);
  const share = (pod: string): number => all?.get(pod) ?? 0;
  const total = ready.reduce((sum, pod) => sum + share(pod), 0);
  const evidence = ready.map((pod) => `${pod}: ${share(pod)} of ${total}, ${first?.get(pod) ?? 0} in the first second`);
  if (total === 0)
    return undecided("not counted", "the probe's proxy counts no request by pod: it does not balance them", evidence);
  const silent = ready.filter((pod) => share(pod) === 0);
  if (silent.length === ready.length - 1 && ready.length > 1)
    return failed("one Alpha takes every call", oneAlphaCause(clusterState), evidence);
  if (silent.length > 0)
    return failed(
      `no call reached ${silent.join(", ")} in ${spreadSeconds} s`,
      "the proxy avoids endpoints that are slow or fail: kubectl logs of that pod and of its proxy",
      evidence,
    );
  const early = ready.filter((pod) => (first?.get(pod) ?? 0) > 0);
  if (early.length < Math.min(2, ready.length))
    return failed(
      "one Alpha took every call of the first second",
      "the proxy learned of the other Alphas late: see M5, and run it again",
      evidence,
    );
  return passed(`each of ${plural(ready.length, "Alpha")} answered`, evidence);
}

/** Why all calls of a connection end at one Alpha: the proxy does not see single calls, or sees one endpoint only. */
function oneAlphaCause(clusterState: ClusterState): string {
  const grpc = dgraphPorts.alpha.grpc;
  const bypassed = alphasIn(clusterState).some(({ metadata }) =>
    [portKeys.opaque, portKeys.skipInbound].some((key) => includes(parsePorts(metadata.annotations?.[key]), grpc)),
  );
  if (bypassed) return `port ${grpc} is opaque or skipped on Alpha's pods, so proxies balance connections, not calls`;
  const bare = alphasIn(clusterState)
    .filter((pod) => proxyOf(pod) === undefined)
    .map(({ metadata }) => metadata.name);
  if (bare.length > 0) return `${bare.join(", ")} ${bare.length === 1 ? "has" : "have"} no proxy: restart these pods`;
  return `is port ${grpc} opaque on the Service or at the client? Proxies balance connections then, not calls`;
}

/** Names of the Alphas that are ready. */
function readyAlphas(clusterState: Pick<ClusterState, "model" | "pods">): string[] {
  return alphasIn(clusterState)
    .filter((pod) => condition(pod, "Ready")?.status !== "False")
    .map(({ metadata }) => metadata.name);
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
