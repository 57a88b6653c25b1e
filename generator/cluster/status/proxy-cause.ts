import { proxyContainer } from "../../catalog/well-known.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { proxyVariable, waitsForProxy } from "../../mesh/pod.ts";
import { duration } from "../../system/text.ts";
import type { Cause, Subject } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Log messages of a proxy that cannot resolve the address of the control plane. The first message is from
 * linkerd/app/core/src/control.rs, the second from linkerd/dns/src/lib.rs (linkerd2-proxy, August 2026).
 */
const unresolved = /Failed to resolve control-plane component|failed SRV and A record lookups/;

/**
 * Returns the reason why a pod waits for its proxy. Returns null if the pod does not wait for its proxy. A proxy is not
 * ready until the identity controller has signed the certificate of the proxy.
 */
export function proxyWaitCause(pod: KubernetesObject, snapshot: Snapshot, { environment }: Subject): Cause | null {
  if (!waitsForProxy(pod)) return null;
  const { name, namespace } = pod.metadata;
  const { identity, takenAt, proxyLogs } = snapshot;
  const expired = issuerIn(identity);
  const age = expired === undefined ? 0 : takenAt.getTime() - Date.parse(expired.validTo);
  if (age > 0)
    return {
      code: "issuer-expired",
      reason: `pod ${name} is not ready, because its proxy gets no certificate: the issuer certificate in the cluster expired ${duration(age)} ago`,
      fix: `run meshops identity rotate-issuer ${environment} and meshops generate ${environment}, commit and push`,
    };
  if (unresolved.test(proxyLogs.get(`${namespace}/${name}`) ?? ""))
    return {
      code: "name-unresolved",
      reason: `pod ${name} is not ready, because its proxy cannot resolve the name ${identityHost(pod)}`,
      fix: `set linkerd.clusterDomain to the DNS domain of the cluster, run meshops generate ${environment}, commit and push; then restart Flux's controllers: ${freeQueue}`,
    };
  return {
    code: "progressing",
    reason: `pod ${name} is not ready, because its proxy has no certificate yet`,
    fix: `kubectl logs ${name} --container ${proxyContainer} --namespace ${namespace}`,
  };
}

/**
 * Command that restarts Flux's controllers. After the restart, Flux immediately reconciles the newest commit, even if
 * an upgrade or a health check of the previous commit was still in progress.
 */
export const freeQueue = "kubectl rollout restart deployment helm-controller kustomize-controller --namespace flux-system";

/**
 * Returns the host name that a proxy uses for the identity controller (linkerd2, charts/partials/templates/_proxy.tpl).
 */
function identityHost(pod: KubernetesObject): string {
  const address = proxyVariable(pod, "LINKERD2_PROXY_IDENTITY_SVC_ADDR") ?? "the identity controller";
  return address.replace(/\.?:\d+$/, "");
}
