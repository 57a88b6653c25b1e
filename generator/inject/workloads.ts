import { type LinkerdRelease, linkerdRelease } from "../catalog/linkerd.ts";
import { injectKey } from "../catalog/well-known.ts";
import { ManifestSet } from "../kubernetes/manifest-set.ts";
import { selects } from "../kubernetes/selectors.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { hasProxy, type InjectionObstacle, injectionFacts, injectionObstacle } from "../mesh/meshed.ts";
import { neverCompletes } from "../mesh/sidecar-lifetime.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/**
 * Workloads that a MeshInjection selects. `workloads` are the workloads to inject. `passedOver` are the workloads that
 * are not injected, each with the reason.
 */
export interface Selection {
  readonly workloads: readonly Workload[];
  readonly passedOver: readonly PassedOver[];
}

interface PassedOver {
  readonly workload: Workload;
  readonly why: string;
  /**
   * Whether the injector ignores the pods because of a sidecar of Istio, or because of their namespace. False for all
   * other reasons, such as an annotation that disables the injection.
   */
  readonly ignored: boolean;
}

/**
 * Selects workloads by the namespaces and labels in the MeshInjection. A workload that specifies no namespace matches
 * every namespace. A selected workload is not injected in these cases: an annotation disables the injection, the pods
 * already have a proxy, the pods cannot have a proxy, or a proxy would prevent the workload from completing.
 */
export function selectWorkloads(stream: ManifestSet, { spec }: MeshInjection): Selection {
  const release = linkerdRelease(spec.linkerd);
  const matching = stream.workloads.filter(
    ({ manifest, labels }) =>
      (spec.namespaces === undefined ||
        spec.namespaces.some((name) => ManifestSet.mayShareNamespace(name, manifest.namespace))) &&
      selects({ matchLabels: spec.labels }, labels),
  );
  const candidates = matching.map((workload) => ({ workload, reason: reasonAgainst(workload, stream, release) }));
  return {
    workloads: candidates.flatMap(({ workload, reason }) => (reason === null ? [workload] : [])),
    passedOver: candidates.flatMap(({ workload, reason }) => (reason === null ? [] : [{ workload, ...reason }])),
  };
}

function reasonAgainst(
  workload: Workload,
  stream: ManifestSet,
  release: LinkerdRelease,
): Pick<PassedOver, "why" | "ignored"> | null {
  const asWanted = (why: string): Pick<PassedOver, "why" | "ignored"> => ({ why, ignored: false });
  if (workload.annotations[injectKey] === "disabled") return asWanted(`its pods have ${injectKey}: disabled`);
  if (hasProxy(workload)) return asWanted("its pods already have a proxy");
  const obstacle = injectionObstacle(injectionFacts(workload, stream));
  if (obstacle !== null) return { why: obstacles[obstacle], ignored: obstacle !== "host-network" };
  if (neverCompletes(workload, stream, release))
    return asWanted(
      `with a proxy, the workload would never complete: in ${release.version}, the proxy does not run as a native sidecar`,
    );
  return null;
}

const obstacles: Readonly<Record<InjectionObstacle, string>> = {
  "host-network": "its pods use the host network, where a proxy cannot intercept traffic",
  "other-sidecar": "its pods have a sidecar of Istio, and the injector ignores pods with this sidecar",
  "webhooks-disabled": "its namespace has the label config.linkerd.io/admission-webhooks: disabled",
  "namespace-excluded": "its namespace is kube-system or cert-manager, which the injector ignores by default",
};
