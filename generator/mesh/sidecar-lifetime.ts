import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { proxyContainer } from "../catalog/well-known.ts";
import type { ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Workload } from "../kubernetes/workload.ts";
import { proxyAnnotations } from "./meshed.ts";

const nativeSidecar = /^config\.(alpha\.|beta\.)?linkerd\.io\/proxy-enable-native-sidecar$/;

/** Whether annotations of a workload's pods, or of their namespace, ask for a native sidecar; null where none says so. */
export function asksForNativeSidecar(workload: Workload, stream: ManifestSet): boolean | null {
  const asked = Object.entries(proxyAnnotations(workload, stream)).find(([key]) => nativeSidecar.test(key));
  return asked === undefined ? null : String(asked[1]) === "true";
}

/** Whether a workload has an end, and would never come to it with a proxy, since nothing ends that. @param release null where the release is unknown */
export function neverCompletes(workload: Workload, stream: ManifestSet, release: LinkerdRelease | null): boolean {
  if (!isToEnd(workload) || endsItself(workload)) return false;
  return (asksForNativeSidecar(workload, stream) ?? release?.traits.nativeSidecar) !== true;
}

/** Jobs, and pods by themselves that are not started again, such as Helm's tests. */
function isToEnd({ manifest: { kind }, pod: { restartPolicy } }: Workload): boolean {
  return /^(Cron)?Job$/.test(kind) || (kind === "Pod" && (restartPolicy === "Never" || restartPolicy === "OnFailure"));
}

/** Whether a pod has its proxy as a native sidecar already, or one of its containers ends it. */
function endsItself(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => {
    const said = JSON.stringify([container["command"], container["args"]]);
    const native = container["name"] === proxyContainer && container["restartPolicy"] === "Always";
    return native || /linkerd-await|4191\/shutdown/.test(said);
  });
}
