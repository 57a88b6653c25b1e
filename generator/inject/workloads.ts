import { type LinkerdRelease, linkerdRelease } from "../catalog/linkerd.ts";
import { injectKey } from "../catalog/well-known.ts";
import { ManifestSet } from "../kubernetes/manifest-set.ts";
import { selects } from "../kubernetes/selectors.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { hasProxy } from "../mesh/meshed.ts";
import { neverCompletes } from "../mesh/sidecar-lifetime.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/** Workloads that are to be injected, and why others that were meant are not. */
export interface Selection {
  readonly workloads: readonly Workload[];
  readonly passedOver: readonly { readonly workload: Workload; readonly why: string }[];
}

/** The workloads that a configuration selects (those that name no namespace may be in any), less those that cannot have a proxy or are not to have one. */
export function selectWorkloads(stream: ManifestSet, { spec }: MeshInjection): Selection {
  const release = linkerdRelease(spec.linkerd);
  const meant = stream.workloads.filter(
    ({ manifest, labels }) =>
      (spec.namespaces === undefined ||
        spec.namespaces.some((name) => ManifestSet.mayShareNamespace(name, manifest.namespace))) &&
      selects({ matchLabels: spec.labels }, labels),
  );
  const judged = meant.map((workload) => ({ workload, why: reasonAgainst(workload, stream, release) }));
  return {
    workloads: judged.flatMap(({ workload, why }) => (why === null ? [workload] : [])),
    passedOver: judged.flatMap(({ workload, why }) => (why === null ? [] : [{ workload, why }])),
  };
}

function reasonAgainst(workload: Workload, stream: ManifestSet, release: LinkerdRelease): string | null {
  const { annotations, pod } = workload;
  if (annotations[injectKey] === "disabled") return `its pods say ${injectKey}: disabled`;
  if (pod["hostNetwork"] === true) return "its pods are on the host's network, where no proxy can stand between";
  if (hasProxy(workload)) return "its pods have a proxy already";
  if (neverCompletes(workload, stream, release))
    return `with a proxy it would never end: on ${release.version} that is no native sidecar`;
  return null;
}
