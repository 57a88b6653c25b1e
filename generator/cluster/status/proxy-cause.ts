import { proxyContainer } from "../../catalog/well-known.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { proxyVariable, waitsForProxy } from "../../mesh/pod.ts";
import { duration } from "../../system/text.ts";
import type { Cause, Subject } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Log messages of a proxy that cannot resolve the control plane: the first is logged by
 * linkerd/app/core/src/control.rs, the second is an error of linkerd/dns/src/lib.rs (linkerd2-proxy, August 2026).
 */
const unresolved = /Failed to resolve control-plane component|failed SRV and A record lookups/;

/**
 * Returns why a pod waits for its proxy; null if it does not. The proxy is ready when the identity controller has
 * signed its certificate.
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
      reason: `pod ${name} waits for its proxy: the issuer certificate in the cluster expired ${duration(age)} ago`,
      fix: `run meshops identity rotate-issuer ${environment} and meshops generate ${environment}, commit and push`,
    };
  if (unresolved.test(proxyLogs.get(`${namespace}/${name}`) ?? ""))
    return {
      code: "name-unresolved",
      reason: `pod ${name} waits for its proxy: ${identityHost(pod)} does not resolve`,
      fix: `set linkerd.clusterDomain to the cluster's domain, run meshops generate ${environment}, commit and push; then restart Flux's controllers: ${freeQueue}`,
    };
  return {
    code: "progressing",
    reason: `pod ${name} waits for its proxy, which has no certificate yet`,
    fix: `kubectl logs ${name} --container ${proxyContainer} --namespace ${namespace}`,
  };
}

/**
 * Command that makes Flux reconcile a new commit immediately, even if an upgrade and a health check still wait for the
 * old one.
 */
export const freeQueue = "kubectl rollout restart deployment helm-controller kustomize-controller --namespace flux-system";

/** Returns the host from which a proxy requests its certificate (linkerd2, charts/partials/templates/_proxy.tpl). */
function identityHost(pod: KubernetesObject): string {
  const address = proxyVariable(pod, "LINKERD2_PROXY_IDENTITY_SVC_ADDR") ?? "the identity controller";
  return address.replace(/\.?:\d+$/, "");
}
