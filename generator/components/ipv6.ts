import { linkerdRelease } from "../catalog/linkerd.ts";
import type { Environment } from "../spec/environment.generated.ts";

/**
 * Whether proxies listen on IPv6 addresses. They do if the cluster has IPv6 addresses and the Linkerd release supports
 * IPv6.
 */
export function usesIpv6({ spec: { azure, linkerd } }: Environment): boolean {
  return linkerdRelease(linkerd.version).traits.ipv6 && azure?.cluster.ipFamilies.includes("ipv6") === true;
}
