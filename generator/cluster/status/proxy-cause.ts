import { proxyContainer } from "../../catalog/well-known.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { proxyVariable, waitsForProxy } from "../../mesh/pod.ts";
import { duration } from "../../system/text.ts";
import type { Cause, Subject } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * What a proxy logs while it cannot resolve the control plane: the first is logged by linkerd/app/core/src/control.rs, the second is the error of
 * linkerd/dns/src/lib.rs (linkerd2-proxy, August 2026).
 */
const unresolved = /Failed to resolve control-plane component|failed SRV and A record lookups/;

/** Why a pod waits for its proxy; null if it does not. The proxy is ready when the identity controller has signed its certificate. */
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
      fix: `meshops identity rotate-issuer ${environment}, meshops generate ${environment}, commit and push`,
    };
  if (unresolved.test(proxyLogs.get(`${namespace}/${name}`) ?? ""))
    return {
      code: "name-unresolved",
      reason: `pod ${name} waits for its proxy: ${identityHost(pod)} does not resolve`,
      fix: `set linkerd.clusterDomain to the cluster's domain, meshops generate ${environment}, commit and push; then free the queue: ${freeQueue}`,
    };
  return {
    code: "progressing",
    reason: `pod ${name} waits for its proxy, which has no certificate yet`,
    fix: `kubectl logs ${name} --container ${proxyContainer} --namespace ${namespace}`,
  };
}

/** Commands after which Flux looks at a new commit at once, although an upgrade and a health check still wait for the old one. */
export const freeQueue = "kubectl rollout restart deployment helm-controller kustomize-controller --namespace flux-system";

/** Host under which a proxy asks for its certificate (linkerd2, charts/partials/templates/_proxy.tpl). */
function identityHost(pod: KubernetesObject): string {
  const address = proxyVariable(pod, "LINKERD2_PROXY_IDENTITY_SVC_ADDR") ?? "the identity controller";
  return address.replace(/\.?:\d+$/, "");
}
