import { isOlder, type LinkerdRelease, type LinkerdVersion } from "../../catalog/linkerd.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { Assessment, ChangedObject, ChangeSet, Step } from "../change-rule.ts";
import { chartVersionOf, failsToDowngrade, linkerdVersionWith, releaseWith } from "../chart-version.ts";
import { notRestarted } from "../pod-template.ts";

const chart = "linkerd-control-plane";

/** A Linkerd release. For an unknown release, `traits` are those of the nearest older known release. */
interface NamedRelease extends Pick<LinkerdRelease, "traits" | "minKubernetes"> {
  readonly version: LinkerdVersion;
}

function namedRelease(helmRelease: ChangedObject["before"]): NamedRelease | null {
  const chartVersion = chartVersionOf(helmRelease);
  const [known, version] = [releaseWith(chart, chartVersion), linkerdVersionWith(chart, chartVersion)];
  return known === null || version === null ? null : { traits: known.traits, minKubernetes: known.minKubernetes, version };
}

/**
 * Assesses a change of the Linkerd release: the requirements of the new release on the cluster, and the effects of the
 * new release on proxies.
 *
 * @param changed the HelmRelease of the control plane
 */
export function* otherRelease({ before, after }: ChangedObject, { specs, objects }: ChangeSet): Iterable<Assessment> {
  const [old, next] = [before, after].map(namedRelease);
  if (old == null || next == null || old.version === next.version || failsToDowngrade(old, next)) return;
  if (isOlder(next.version, old.version)) {
    yield* oldDefaults(old, next);
    return;
  }
  yield* newDefaults(old, next, specs.after);
  const crds = objects.find(({ kind, name }) => kind === "HelmRelease" && name === "linkerd-crds");
  if (at(crds?.after, "spec", "suspend") === true)
    yield {
      risk: "stalled-rollout",
      reason: `the HelmRelease linkerd-crds is suspended, so the cluster keeps the CRDs of the old release. The control plane of Linkerd ${next.version} can require newer CRDs. To update the CRDs, remove suspend from components.linkerd-crds`,
    };
}

function* newDefaults(old: NamedRelease, next: NamedRelease, spec: Environment | null): Iterable<Assessment> {
  const declared = spec === null ? null : clusterOf(spec).kubernetesVersion;
  if (old.minKubernetes !== next.minKubernetes && declared === null)
    yield {
      risk: "rollout",
      reason: `Linkerd ${next.version} needs Kubernetes ${next.minKubernetes} or newer. meshops cannot check this requirement, because the spec does not contain the Kubernetes version of the cluster`,
      prerequisites: [
        { text: `Check that the cluster runs Kubernetes ${next.minKubernetes} or newer.`, command: "kubectl version" },
      ],
    };
  if (!old.traits.nativeSidecar && next.traits.nativeSidecar)
    yield {
      risk: "rollout",
      reason: `in Linkerd ${next.version}, proxies are native sidecars by default. A native sidecar is an init container that keeps running. A Job no longer needs to call the endpoint /shutdown of its proxy to complete`,
    };
  yield {
    risk: "rollout",
    reason: `meshed pods keep their old proxies until they restart. ${notRestarted}`,
    steps: [restartOthers],
  };
}

/**
 * Step in which the user restarts pods that do not restart automatically. Until the user restarts these pods, they keep
 * their old proxies.
 */
const restartOthers: Step = {
  text: "After the control plane is ready, restart the meshed pods that still have the old proxy. The command lists all meshed pods.",
  command: "kubectl get pods --all-namespaces --selector linkerd.io/control-plane-ns",
};

/** Assesses how a downgrade changes proxies. */
function* oldDefaults(old: NamedRelease, next: NamedRelease): Iterable<Assessment> {
  if (old.traits.nativeSidecar && !next.traits.nativeSidecar)
    yield {
      risk: "rollout",
      reason: `in Linkerd ${next.version}, proxies are not native sidecars by default. Init containers then have no mesh identity. A Job with a proxy completes only if the Job calls the endpoint /shutdown of its proxy. From Linkerd 2.15 on, this endpoint requires the annotation config.linkerd.io/proxy-admin-shutdown: enabled`,
    };
  yield {
    risk: "rollout",
    reason: `until they restart, meshed pods keep a proxy of Linkerd ${old.version}, which is newer than the control plane. ${notRestarted}`,
    steps: [restartOthers],
  };
}
