import { linkerdRelease } from "../catalog/linkerd.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Installation } from "./attempt.ts";

/** Facts about the Linkerd installation of an environment. */
export function installationOf({ spec: { linkerd } }: Environment): Installation {
  return { release: linkerdRelease(linkerd.version), defaultInboundPolicy: linkerd.defaultInboundPolicy };
}

/** Default inbound policy of the pods in a namespace, according to the spec. */
export function defaultPolicyIn(namespace: string, { spec: { linkerd, namespaces } }: Environment): string {
  return namespaces[namespace]?.mesh.defaultInboundPolicy ?? linkerd.defaultInboundPolicy;
}

/** Whether a default inbound policy admits all pods of the cluster, with and without an identity. */
export function admitsEveryPod(policy: string): boolean {
  return ["all-unauthenticated", "cluster-unauthenticated", "audit"].includes(policy);
}

/**
 * Values of the default inbound policy, in the order of the number of clients that they admit. The first value admits
 * the fewest clients, and the last value admits all clients.
 */
const byOpenness = [
  "deny",
  "cluster-authenticated",
  "all-authenticated",
  "cluster-unauthenticated",
  "audit",
  "all-unauthenticated",
];

/**
 * Whether a default inbound policy admits more clients than another policy. A missing value means
 * `all-unauthenticated`, which admits all clients.
 */
export function admitsMore(policy: unknown, than: unknown): boolean {
  const openness = (value: unknown): number => byOpenness.indexOf(String(value ?? "all-unauthenticated"));
  return openness(policy) > openness(than);
}
