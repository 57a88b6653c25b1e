import { proxyPorts } from "../../catalog/linkerd.ts";
import type { AccessTarget, Call, ClusterState } from "../../components/check.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { type Account, isAccountClient, isInSet } from "../../mesh/pod-set.ts";
import type { Probe } from "./probe.ts";

const verifyPrefix = "meshops-verify-";

/**
 * Returns the name of the namespace that a run of verify creates for its probes. The run also creates a service account
 * with the same name. No policy lists this service account.
 */
export function verifyName(run: string): string {
  return `${verifyPrefix}${run}`;
}

/** Whether a run of verify created the service account or the namespace with this name. */
export function isVerifyName(name: string): boolean {
  return name.startsWith(verifyPrefix);
}

/**
 * Returns the first listed client that is allowed to connect to all ports that the access tests call. The probes use
 * the service account of this client. Returns null if no listed client is allowed to connect to all these ports.
 */
export function listedClient({ pods, guarded }: AccessTarget): Account | null {
  const keys = guarded.map(({ name }) => name);
  const found = pods.access.clients
    .filter(isAccountClient)
    .find(
      ({ podSelector, ports }) => podSelector === undefined && (ports === undefined || keys.every((key) => ports.includes(key))),
    );
  return found?.serviceAccountRef ?? null;
}

/** Returns a probe without a proxy, in the namespace that the run creates. No policy lists this namespace. */
export function unmeshedProbe(target: AccessTarget, name: "verify-baseline" | "verify-unmeshed", run: string): Probe {
  return {
    name,
    namespace: verifyName(run),
    serviceAccount: "default",
    meshed: false,
    calls: target.open,
    protoVariable: target.protoVariable,
  };
}

/**
 * Returns the probe with the service account of a listed client. In addition to the calls of the access tests, this
 * probe sends the calls of the components' checks.
 */
export function listedProbe(client: Account, target: AccessTarget, calls: readonly Call[]): Probe {
  const all = new Map([...target.guarded, ...calls].map((call) => [call.name, call]));
  const { namespace, name: serviceAccount } = client;
  return {
    name: "verify-allowed",
    namespace,
    serviceAccount,
    meshed: true,
    calls: [...all.values()],
    protoVariable: target.protoVariable,
  };
}

/**
 * Returns two probes that the policies must refuse. Both probes are in the namespace of a listed client. `unlisted` has
 * a proxy, but no policy lists its service account. `forged` has the label of meshed pods, but no proxy.
 */
export function refusedProbes(
  { namespace }: Account,
  target: AccessTarget,
  state: ClusterState,
  run: string,
): { readonly unlisted: Probe; readonly forged: Probe } {
  const common = { namespace, serviceAccount: verifyName(run), protoVariable: target.protoVariable };
  return {
    unlisted: { ...common, name: "verify-unlisted", meshed: true, calls: target.guarded },
    forged: {
      ...common,
      name: "verify-forged",
      meshed: false,
      forged: true,
      calls: [...target.guarded, ...proxyCalls(target, state)],
    },
  };
}

/**
 * Returns a copy of each HTTP call to the target. The copy connects to the inbound port of the proxy in a target pod.
 * Returns an empty list if no target pod has an IP address.
 */
function proxyCalls({ pods: set, guarded }: AccessTarget, { pods }: ClusterState): Call[] {
  const ip = at(
    pods.find((pod) => isInSet(pod, set)),
    "status",
    "podIP",
  );
  if (typeof ip !== "string") return [];
  const address = `${ip.includes(":") ? `[${ip}]` : ip}:${proxyPorts.inbound}`;
  return guarded.flatMap((call) => (call.kind === "http" ? [{ ...call, name: "proxy", address }] : []));
}
