import type { TestResult } from "../../cluster/verify/result.ts";
import type { AccessTarget } from "../../components/check.ts";
import type { Graph, GraphEdge } from "../graph/model.ts";

/**
 * Returns the clients of the access tests. `list` is the field of the spec that lists the allowed clients. `answered`
 * is true if the server must answer the calls of the client, and false if the policies must refuse these calls.
 */
const clientsOf = (list: string) =>
  [
    { id: "T0", lines: ["unmeshed client, no policy", "no proxy"], answered: true },
    { id: "T1", lines: ["unmeshed client", "no proxy, other namespace"], answered: false },
    { id: "T2a", lines: ["authorized client", `proxy, service account in ${list}`], answered: true },
    { id: "T2b", lines: ["other meshed client", `proxy, service account not in ${list}`], answered: false },
    { id: "T2c", lines: ["client with a forged label", "no proxy, but the label of meshed pods"], answered: false },
  ] as const;

/**
 * Returns a graph with the clients of the access tests, the server, and the result of each test. Returns null if no
 * access test was run.
 */
export function accessGraph(tests: readonly TestResult[], target: AccessTarget): Graph | null {
  const ran = clientsOf(target.fields.clients).flatMap((client) => {
    const test = tests.find(({ id }) => id === client.id);
    return test === undefined || test.status === "skipped" ? [] : [{ ...client, status: test.status }];
  });
  if (ran.length === 0) return null;
  const { title: server } = target.pods;
  return {
    title: `Access to ${target.title}`,
    direction: "right",
    caption: "A bold arrow shows the result of a failed test.",
    boxes: [
      ...ran.map(({ id, lines }) => ({ name: id, lines: [id, ...lines], group: "outside", shape: "box" as const })),
      { name: server, lines: [server, portsOf(target)], group: "meshops", shape: "store" },
    ],
    arrows: ran.map(({ id, answered, status }) => ({ from: id, to: server, ...outcome(answered, status) })),
  };
}

function outcome(answered: boolean, status: TestResult["status"]): Pick<GraphEdge, "lines" | "kind"> {
  if (status === "undecided") return { lines: ["undecided"], kind: "refused" };
  if (status === "passed") return answered ? { lines: ["allowed"], kind: "allowed" } : { lines: ["refused"], kind: "refused" };
  return { lines: [answered ? "refused, must be allowed" : "allowed, must be refused"], kind: "open" };
}

/** Returns a text with the ports that the clients call, such as `HTTP 8080, gRPC 9080`. */
function portsOf({ guarded, pods }: AccessTarget): string {
  const names = { http: "HTTP", http2: "HTTP/2", grpc: "gRPC", tcp: "TCP", tls: "TLS", spread: "" };
  return guarded.map(({ kind, name }) => `${names[kind]} ${pods.ports[name]?.port}`).join(", ");
}
