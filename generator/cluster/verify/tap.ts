import { setTimeout as sleep } from "node:timers/promises";
import type { AccessTarget } from "../../components/check.ts";
import { type CheckResult, failed, passed, undecided } from "../../components/check-result.ts";
import { tapFix, untappedPods } from "../../mesh/tap.ts";
import { StreamError } from "../actions.ts";
import type { Cluster } from "../connection.ts";
import type { Scene } from "./explain.ts";
import type { ProbeRun } from "./run-probe.ts";
import { decodeTapError, encodeTapRequest, type TapEvent, TapReader, tapPath } from "./tap-messages.ts";

/** Maximum number of requests per second that tap reports, in total for all pods. */
const maxRps = 300;

/** An open request to the tap API, and the events that meshops has received from it. */
export interface Tap {
  readonly events: readonly TapEvent[];
  /** Ends the tap. @returns the reason why the tap failed; null if the tap succeeded */
  close(): Promise<string | null>;
}

/**
 * Opens a tap on the pods of a target. The API server's aggregation layer forwards the request to Linkerd viz's tap
 * API. The tap API sends no response before the first event (linkerd2, viz/tap/api), so meshops does not know when the
 * tap is open. meshops can start a probe immediately, because a probe takes longer to start than a tap.
 */
export function openTap(cluster: Cluster, { pods }: AccessTarget): Tap {
  const { kind, name } = pods.workloadRef ?? { kind: "Namespace", name: pods.namespace };
  const target = { namespace: pods.namespace, type: kind.toLowerCase(), name };
  const [events, reader, abort] = [[] as TapEvent[], new TapReader(), new AbortController()];
  const take = (chunk: Buffer): void => {
    try {
      events.push(...reader.read(chunk));
    } catch {
      abort.abort(); // after an error, the tap API sends a message that is not an event
    }
  };
  const body = encodeTapRequest(target, maxRps);
  const ended = cluster.stream(tapPath(target), body, take, abort.signal).then(
    () => null,
    (error: unknown) => troubleOf(error),
  );
  return {
    events,
    close: () => {
      abort.abort();
      return ended;
    },
  };
}

function troubleOf(error: unknown): string {
  if (!(error instanceof StreamError)) return `the tap API does not answer: ${(error as Error).message}`;
  const text = error.framed ? decodeTapError(error.body) : textOf(error.body);
  if (error.status === 403) return `you are not allowed to use tap (bind the ClusterRole linkerd-linkerd-viz-tap-admin): ${text}`;
  if (error.status === 404 && !error.framed)
    return "the tap API does not exist in the cluster, because Linkerd viz is not installed";
  if (error.status === 503) return `the API server cannot reach the tap API (see test M6): ${text}`;
  return text.trim();
}

/**
 * Returns the error message in the body of an error response. The body is a Status object of the API server, an object
 * `{error}` of Linkerd viz, or plain text.
 */
function textOf(body: Buffer): string {
  try {
    const { message, error } = JSON.parse(body.toString()) as { message?: string; error?: string };
    return message ?? error ?? "no reason given";
  } catch {
    return body.toString().slice(0, 200);
  }
}

/**
 * Evaluates T3. Tap must report the HTTP call and the gRPC call of the listed client, both encrypted with mTLS. If a
 * ServiceProfile exists, tap must also report the route of the gRPC call.
 */
export async function tapResult(tap: Tap, run: ProbeRun, { state, target }: Scene): Promise<CheckResult> {
  const { profiles } = state;
  // Wait for the last events: proxies report every second, and the aggregation layer forwards events every 200 ms.
  await sleep(1500);
  const trouble = await tap.close();
  if (trouble !== null) return failed("tap failed", trouble);
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  const name = run.pod?.metadata.name;
  const own = tap.events.filter(({ sourceMeta, proxyDirection }) => sourceMeta?.labels["pod"] === name && proxyDirection === 1);
  const seen = own.flatMap(({ http, sourceMeta, routeMeta }) =>
    http?.requestInit === undefined
      ? []
      : [
          {
            path: http.requestInit.path,
            tls: sourceMeta?.labels["tls"] ?? "no label",
            route: routeMeta?.labels["route"] ?? null,
          },
        ],
  );
  const evidence = [
    ...new Set(seen.map(({ path, tls, route }) => `${path} tls=${tls}${route === null ? "" : ` route=${route}`}`)),
  ];
  const [httpPath, method] = [pathOf(target, "http"), pathOf(target, "grpc")];
  const http = seen.find(({ path }) => path.startsWith(httpPath));
  const grpc = seen.find(({ path }) => path === method);
  const missing = [...(http === undefined ? ["HTTP"] : []), ...(grpc === undefined ? ["gRPC"] : [])];
  if (missing.length > 0) {
    const untapped = untappedPods(target.pods, state.pods, state.namespaces).map(({ metadata }) => metadata.name);
    if (untapped.length > 0)
      return failed(
        `tap does not report the ${missing.join(" and ")} ${missing.length === 1 ? "call" : "calls"}`,
        `tap is not enabled in ${untapped.join(", ")}, because ${untapped.length === 1 ? "this pod" : "these pods"} started before viz's tap injector: ${tapFix(target.pods)}`,
        evidence,
      );
    return failed(
      `tap does not report the ${missing.join(" and ")} ${missing.length === 1 ? "call" : "calls"}`,
      {
        reason: `tap reported ${tap.events.length} events, but did not report the probe's calls over ${missing.join(" and ")}`,
        fix: `check that test T2a passed and that tap is enabled in the pods of ${target.podTitle}`,
      },
      evidence,
    );
  }
  const plain = seen.filter(({ tls }) => tls !== "true");
  if (plain.length > 0)
    return failed(
      `tls=${plain[0]?.tls}`,
      {
        reason: "the proxies do not use mTLS for the probe's connection",
        fix: "check whether the annotation skip-inbound-ports or skip-outbound-ports contains the port of this connection",
      },
      evidence,
    );
  const profiled = profiles.some(({ metadata }) => metadata.name === target.host);
  if (profiled && grpc?.route !== method.slice(method.lastIndexOf("/") + 1))
    return failed(
      `the route of the gRPC call is ${grpc?.route ?? "none"}`,
      `the ServiceProfile ${target.host} has no route for ${method}, or the proxies do not use the ServiceProfile`,
      evidence,
    );
  return passed(`tap reports HTTP and gRPC calls with tls=true${profiled ? ", and the gRPC call with its route" : ""}`, evidence);
}

/**
 * Returns the HTTP path of the target's first call of the given kind. Returns an empty string if the target has no
 * guarded call of this kind.
 */
function pathOf({ guarded }: AccessTarget, kind: "http" | "grpc"): string {
  const call = guarded.find((each) => each.kind === kind);
  return call?.kind === "http" ? call.path : call?.kind === "grpc" ? `/${call.method}` : "";
}
