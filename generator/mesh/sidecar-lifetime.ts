import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { proxyContainer } from "../catalog/well-known.ts";
import type { ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "./meshed.ts";

const nativeSidecar = /^config\.(alpha\.|beta\.)?linkerd\.io\/proxy-enable-native-sidecar$/;

/**
 * Whether an annotation of a workload's pods or of their namespace requests a native sidecar. Null if there is no such
 * annotation.
 */
export function asksForNativeSidecar(workload: Workload, stream: ManifestSet): boolean | null {
  const asked = Object.entries(proxyAnnotations(workload, stream)).find(([key]) => nativeSidecar.test(key));
  return asked === undefined ? null : String(asked[1]) === "true";
}

/**
 * Whether a workload should run to completion, but would never complete with a proxy because nothing stops the proxy.
 *
 * @param release null if the release is not known
 */
export function neverCompletes(workload: Workload, stream: ManifestSet, release: LinkerdRelease | null): boolean {
  if (!runsToCompletion(workload) || stopsProxy(workload)) return false;
  return (asksForNativeSidecar(workload, stream) ?? release?.traits.nativeSidecar) !== true;
}

/**
 * Whether a workload runs to completion. This is true for Jobs, CronJobs, and standalone pods whose restart policy is
 * not `Always`, such as Helm's tests.
 */
function runsToCompletion({ manifest: { kind }, pod: { restartPolicy } }: Workload): boolean {
  return /^(Cron)?Job$/.test(kind) || (kind === "Pod" && (restartPolicy === "Never" || restartPolicy === "OnFailure"));
}

/** Whether the proxy of a pod is already a native sidecar, or one of the pod's containers stops the proxy. */
function stopsProxy(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => {
    const command = JSON.stringify([container["command"], container["args"]]);
    const native = container["name"] === proxyContainer && container["restartPolicy"] === "Always";
    return native || /linkerd-await|4191\/shutdown/.test(command);
  });
}
