import type { ProxySettings } from "../../identity/pem.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { usesIpv6 } from "../ipv6.ts";

/** The settings of an environment that a proxy reads only when it starts. */
export function proxySettings(environment: Environment): ProxySettings {
  const { version, clusterDomain, identity } = environment.spec.linkerd;
  return { version, clusterDomain, trustDomain: identity.trustDomain, ipv6: usesIpv6(environment) };
}
