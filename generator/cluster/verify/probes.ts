import { proxyPorts } from "../../catalog/linkerd.ts";
import type { Model } from "../../components/model.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { articleCalls, guardedCalls } from "./access.ts";
import { alphasIn, type ClusterState } from "./cluster-state.ts";
import { dgraphCalls } from "./dgraph-tests.ts";
import type { Probe } from "./probe.ts";

/** Namespace of the probes that need no other, and service account of the one that nobody allows: the run's own. */
export function verifyName(run: string): string {
  return `meshops-verify-${run}`;
}

/** The client that the probes stand for: the first on the list that may use both ports; null where there is none. */
function allowedClient({ environment }: Model): { readonly namespace: string; readonly serviceAccount: string } | null {
  return environment.spec.dgraph.clients.find(({ ports }) => ports.includes("http") && ports.includes("grpc")) ?? null;
}

/** A pod without a proxy, in a namespace that nobody allows. */
export function unmeshedProbe(model: Model, name: "verify-baseline" | "verify-unmeshed", run: string): Probe {
  return { name, namespace: verifyName(run), serviceAccount: "default", meshed: false, calls: articleCalls({ model }) };
}

/** The probes beside a client on the list: one under its service account, one under another, one that is not what its label says. */
export function clientProbes(
  clusterState: ClusterState,
  run: string,
  token: string | null,
): { allowed: Probe; stranger: Probe; forged: Probe } | null {
  const client = allowedClient(clusterState.model);
  if (client === null) return null;
  const { namespace } = client;
  const [alpha] = alphasIn(clusterState);
  const ip = at(alpha, "status", "podIP");
  const direct =
    typeof ip === "string"
      ? [
          {
            kind: "http",
            name: "proxy",
            address: `${ip.includes(":") ? `[${ip}]` : ip}:${proxyPorts.inbound}`,
            path: "/state",
          } as const,
        ]
      : [];
  const guarded = guardedCalls(clusterState);
  const dgraph = dgraphCalls(clusterState, token);
  return {
    allowed: { ...client, name: "verify-allowed", meshed: true, calls: [...guarded, ...dgraph] },
    stranger: { name: "verify-stranger", namespace, serviceAccount: verifyName(run), meshed: true, calls: guarded },
    forged: {
      name: "verify-forged",
      namespace,
      serviceAccount: verifyName(run),
      meshed: false,
      forged: true,
      calls: [...guarded, ...direct],
    },
  };
}
