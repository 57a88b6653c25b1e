import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { linkerdAnnotations, readBy, shutdownKey } from "../catalog/linkerd-annotations.ts";
import type { ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "./meshed.ts";
import { isProxyContainer } from "./pod.ts";

const nativeSidecar = /^config\.(alpha\.|beta\.)?linkerd\.io\/proxy-enable-native-sidecar$/;

/**
 * Returns whether an annotation requests a native sidecar for the pods of a workload. The annotation can be on the pods
 * or on the namespace of the pods. Returns null if neither the pods nor the namespace have this annotation.
 */
export function requestsNativeSidecar(workload: Workload, stream: ManifestSet): boolean | null {
  const asked = Object.entries(proxyAnnotations(workload, stream)).find(([key]) => nativeSidecar.test(key));
  return asked === undefined ? null : String(asked[1]) === "true";
}

/**
 * Whether a workload is meant to run to completion, but the pods of this workload never complete, because no program
 * stops the proxies.
 *
 * @param release null if the release is not known
 */
export function neverCompletes(workload: Workload, stream: ManifestSet, release: LinkerdRelease | null): boolean {
  if (!runsToCompletion(workload) || isNative(workload)) return false;
  if (callsShutdown(workload) && mayShutDown(workload, stream, release)) return false;
  return (requestsNativeSidecar(workload, stream) ?? release?.traits.nativeSidecar) !== true;
}

/**
 * Whether a workload runs to completion. This is true for Jobs, CronJobs, and standalone pods whose restart policy is
 * not `Always`, such as Helm's tests.
 */
function runsToCompletion({ manifest: { kind }, pod: { restartPolicy } }: Workload): boolean {
  return /^(Cron)?Job$/.test(kind) || (kind === "Pod" && (restartPolicy === "Never" || restartPolicy === "OnFailure"));
}

/** Whether the proxy of a pod is already a native sidecar. */
function isNative(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => isProxyContainer(container) && container["restartPolicy"] === "Always");
}

/**
 * Whether a container of a pod calls the proxy's endpoint /shutdown to stop the proxy, directly or with linkerd-await.
 */
export function callsShutdown(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) =>
    /linkerd-await|4191\/shutdown/.test(JSON.stringify([container["command"], container["args"]])),
  );
}

/**
 * Whether the proxy accepts calls of its endpoint /shutdown. In releases that read the annotation
 * `config.linkerd.io/proxy-admin-shutdown`, the endpoint is disabled by default (linkerd2,
 * charts/linkerd-control-plane/values.yaml, `proxy.enableShutdownEndpoint`).
 */
function mayShutDown(workload: Workload, stream: ManifestSet, release: LinkerdRelease | null): boolean {
  const known = linkerdAnnotations[shutdownKey];
  if (release === null || known === undefined || readBy(known, release) === "too-old") return true;
  return proxyAnnotations(workload, stream)[shutdownKey] === "enabled";
}
