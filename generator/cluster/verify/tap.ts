import { setTimeout as sleep } from "node:timers/promises";
import type { AccessTarget } from "../../components/check.ts";
import { type Finding, failed, passed, undecided } from "../../components/finding.ts";
import { Refused } from "../actions.ts";
import type { Cluster } from "../connection.ts";
import type { Scene } from "./explain.ts";
import type { ProbeRun } from "./run-probe.ts";
import { decodeTapError, encodeTapRequest, type TapEvent, TapReader, tapPath } from "./tap-messages.ts";

/** Most requests a second that tap reports, over all pods. */
const maxRps = 300;

/** A tap that is open, or why it is not. */
export interface Tap {
  readonly events: readonly TapEvent[];
  /** Ends it. @returns why there was none; null where it streamed, or would have */
  close(): Promise<string | null>;
}

/**
 * Taps the pods of a target, by viz's tap API behind the API server. It answers nothing before there is an event (linkerd2, viz/tap/api), so
 * nothing tells when it is open; probes take longer to start than it does.
 */
export function openTap(cluster: Cluster, { pods }: AccessTarget): Tap {
  const { kind, name } = pods.workloadRef;
  const target = { namespace: pods.namespace, type: kind.toLowerCase(), name };
  const [events, reader, abort] = [[] as TapEvent[], new TapReader(), new AbortController()];
  const take = (chunk: Buffer): void => {
    try {
      events.push(...reader.read(chunk));
    } catch {
      abort.abort(); // an error in the middle of the stream comes as one more message, of another kind
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
  if (!(error instanceof Refused)) return `the tap API does not answer: ${(error as Error).message}`;
  const text = error.framed ? decodeTapError(error.body) : textOf(error.body);
  if (error.status === 403) return `you may not tap; bind the ClusterRole linkerd-linkerd-viz-tap-admin: ${text}`;
  if (error.status === 404 && !error.framed) return "there is no tap API: is viz installed?";
  if (error.status === 503) return `viz's tap is not reachable (see M6): ${text}`;
  return text.trim();
}

/** An error's words: a Status, viz's own `{error}`, or plain text. */
function textOf(body: Buffer): string {
  try {
    const { message, error } = JSON.parse(body.toString()) as { message?: string; error?: string };
    return message ?? error ?? "no reason given";
  } catch {
    return body.toString().slice(0, 200);
  }
}

/** T3: both calls of the listed client arrive, encrypted, the gRPC call with the name of its route if there is a ServiceProfile. */
export async function judgeTap(tap: Tap, run: ProbeRun, { state: { profiles }, target }: Scene): Promise<Finding> {
  // The aggregation layer hands events on every 200 ms, proxies report each second.
  await sleep(1500);
  const trouble = await tap.close();
  if (trouble !== null) return failed("no tap", trouble);
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
  if (missing.length > 0)
    return failed(
      `${missing.join(" and ")} not seen`,
      `${tap.events.length} events came, none of them: did the call pass (T2a), is tap enabled on ${target.podTitle}'s pods?`,
      evidence,
    );
  const plain = seen.filter(({ tls }) => tls !== "true");
  if (plain.length > 0)
    return failed(`tls=${plain[0]?.tls}`, "the two proxies do not speak TLS with each other: is the port skipped?", evidence);
  const profiled = profiles.some(({ metadata }) => metadata.name === target.host);
  if (profiled && grpc?.route !== method.slice(method.lastIndexOf("/") + 1))
    return failed(
      `gRPC has route ${grpc?.route ?? "none"}`,
      `the ServiceProfile ${target.host} has no route for ${method}, or proxies do not read it`,
      evidence,
    );
  return passed(`HTTP and gRPC, encrypted${profiled ? ", gRPC by its route" : ""}`, evidence);
}

/** The path of a guarded call, as HTTP sees it. */
function pathOf({ guarded }: AccessTarget, kind: "http" | "grpc"): string {
  const call = guarded.find((each) => each.kind === kind);
  return call?.kind === "http" ? call.path : call?.kind === "grpc" ? `/${call.method}` : "";
}
