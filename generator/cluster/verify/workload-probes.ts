import { namespaceAnnotations } from "../../components/access-table.ts";
import type { Call } from "../../components/check.ts";
import { generatedObjects, type Model } from "../../components/model.ts";
import { isWorkload } from "../../components/names.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition } from "../../kubernetes/object-fields.ts";
import { describedPod } from "../../mesh/described-pod.ts";
import { evaluate } from "../../mesh/evaluate.ts";
import { installationOf } from "../../mesh/installation.ts";
import { isLive } from "../../mesh/pod.ts";
import {
  type Account,
  distinctAccounts,
  isAccountClient,
  isInSet,
  isProtected,
  isProxied,
  type PodSet,
  type Port,
} from "../../mesh/pod-set.ts";
import { attemptClientOf } from "./explain.ts";
import type { Probe } from "./probe.ts";
import { verifyName } from "./probes.ts";

/**
 * Maximum number of calls of one probe. A refused call can take several seconds, so meshops divides a larger number of
 * calls among several probes.
 */
const callsPerProbe = 12;

/** A port that the probes call, and the running pod that has this port. */
export interface Destination {
  readonly set: PodSet;
  readonly key: string;
  readonly port: Port;
  readonly pod: KubernetesObject;
}

/**
 * Returns the sets of pods that have a test. These are the protected sets with at least one port that does not bypass
 * the proxy.
 */
export function testedSets({ components }: Model): PodSet[] {
  return components
    .filter(isWorkload)
    .flatMap(({ pods }) => pods)
    .filter((set) => isProtected(set) && destinationsOf(set).length > 0);
}

function destinationsOf({ ports }: PodSet): [key: string, port: Port][] {
  return Object.entries(ports).filter(([, port]) => isProxied(port));
}

/**
 * Returns the ports that the probes call for a set of pods: all ports of the first ready pod in the set, except ports
 * that bypass the proxy. Returns an empty list if no pod is ready.
 */
export function destinations(set: PodSet, pods: readonly KubernetesObject[]): Destination[] {
  const pod = pods.find((each) => isInSet(each, set) && isReady(each));
  return pod === undefined ? [] : destinationsOf(set).map(([key, port]) => ({ set, key, port, pod }));
}

function isReady(pod: KubernetesObject): boolean {
  return isLive(pod) && condition(pod, "Ready")?.status === "True" && typeof at(pod, "status", "podIP") === "string";
}

/** Name of the call to a port, such as `shop/api:http`. */
export function callName({ set, key }: Pick<Destination, "set" | "key">): string {
  return `${set.title}:${key}`;
}

/**
 * Returns the call to a port. The protocol of the port determines the kind of the call. If the proxy does not parse the
 * protocol of the port, the call only opens a connection.
 */
function callTo(destination: Destination): Call {
  const ip = String(at(destination.pod, "status", "podIP"));
  const name = callName(destination);
  const address = `${ip.includes(":") ? `[${ip}]` : ip}:${destination.port.port}`;
  switch (destination.port.protocol) {
    case "gRPC":
      return { kind: "http2", name, address, grpc: true };
    case "HTTP/2":
      return { kind: "http2", name, address, grpc: false };
    case "TLS":
      return { kind: "tls", name, address };
    case "opaque":
      return { kind: "tcp", name, address };
    default:
      return { kind: "http", name, address, path: "/" };
  }
}

/**
 * Returns the probes. The probes act as these clients: each listed service account, an unlisted service account, and a
 * pod without a proxy. No policy lists the unlisted service account. If a listed client exists, the unlisted service
 * account is in the namespace of this client. The probes of each client call all ports.
 *
 * @param run a word that distinguishes this run of verify from other runs
 */
export function workloadProbes(all: readonly Destination[], run: string): Probe[] {
  const listed = all.flatMap(({ set }) =>
    set.access.clients.filter(isAccountClient).map(({ serviceAccountRef }) => serviceAccountRef),
  );
  const accounts = distinctAccounts(listed);
  const beside = accounts[0]?.namespace ?? all[0]?.set.namespace ?? "default";
  const unlisted: Account = { namespace: beside, name: verifyName(run) };
  const meshed = [...accounts, unlisted].map((account, index) => ({ ...account, name: `verify-w${index}`, account }));
  return [
    ...meshed.flatMap(({ name, account }) =>
      divided({ name, namespace: account.namespace, serviceAccount: account.name, meshed: true }, all),
    ),
    ...divided({ name: "verify-w-bare", namespace: verifyName(run), serviceAccount: "default", meshed: false }, all),
  ];
}

function divided(probe: Omit<Probe, "calls" | "protoVariable">, all: readonly Destination[]): Probe[] {
  const parts = Math.ceil(all.length / callsPerProbe);
  return Array.from({ length: parts }, (_, index) => ({
    ...probe,
    name: parts === 1 ? probe.name : `${probe.name}-${index}`,
    calls: all.slice(index * callsPerProbe, (index + 1) * callsPerProbe).map(callTo),
    protoVariable: "MESHOPS_NO_PROTO",
  }));
}

/** Whether the policies that meshops generates allow a probe to connect to a port. */
export function isDeclared(probe: Probe, { set, port }: Destination, model: Model): boolean {
  const objects = generatedObjects(model.components);
  const attempt = {
    from: attemptClientOf(probe, []),
    to: describedPod(set, namespaceAnnotations(model, set.namespace)),
    port: port.port,
  };
  return evaluate(attempt, objects, installationOf(model.environment)).admitted;
}
