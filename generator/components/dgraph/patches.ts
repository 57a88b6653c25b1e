import { dgraphChart, dgraphPorts } from "../../catalog/dgraph.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { ModelContext } from "../component.ts";
import type { Patch } from "../patch.ts";
import { podPatches } from "../pod-settings.ts";
import { annotatePods } from "../pod-template.ts";
import { podSettingsOf } from "./availability.ts";
import { opaque } from "./injection.ts";
import { dgraphLabels, dgraphName } from "./names.ts";
import { podAnnotations } from "./values.ts";

/**
 * Returns patches for objects that the dgraph chart renders. The patches add a preStop hook that delays the stop of
 * pods, and set the pod fields for which the chart has no value. If the chart has no value for pod annotations, the
 * patches also add the annotations to the pod templates. If `internalPorts` is `opaque`, the patches mark the internal
 * ports of Services, including headless Services, as opaque.
 */
export function dgraphPatches(context: ModelContext): Patch[] {
  const { environment } = context;
  const { traits } = dgraphChart(environment.spec.dgraph.chart);
  const { namespace, internalPorts } = environment.spec.dgraph;
  const named = (name: string): { name: string; namespace?: string } => ({
    name: dgraphName(environment, name),
    // Kustomize matches a patch with an object by name and namespace. If the object in the chart has no namespace, the
    // patch must not have a namespace.
    ...(traits.rendersNamespace ? { namespace } : {}),
  });
  const pods = (["alpha", "zero"] as const).map((role) =>
    annotatePods("StatefulSet", named(role), podAnnotations(role, context)),
  );
  const services = internalServices.map(
    ({ name, role }): Patch => ({
      patch: {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...named(name), annotations: opaque(dgraphPorts[role].internal) },
      },
    }),
  );
  const stops = (["alpha", "zero"] as const).map((role) => stopLate(named(role), preStop(context)));
  const settings = (["alpha", "zero"] as const).flatMap((role) =>
    podPatches(
      { kind: "StatefulSet", metadata: named(role), selector: { matchLabels: dgraphLabels(environment, role) } },
      podSettingsOf(environment, role),
    ),
  );
  return [
    ...(traits.podAnnotations === "patch" ? pods : []),
    ...stops,
    ...settings,
    ...(internalPorts === "opaque" ? services : []),
  ];
}

/**
 * Seconds between the removal of a pod's endpoint and SIGTERM. The proxies of clients learn about this removal within
 * about one second.
 */
const stopSeconds = 5;

/**
 * Returns a preStop hook that delays SIGTERM. Without this hook, Dgraph stops listening immediately, while clients'
 * proxies still send requests to the pod. In a measurement on edge-26.8.3 during a rollout of the Alphas, 6 of 10,300
 * calls failed without the hook. With a delay of 5 seconds, 0 of 16,900 calls failed. The delay is part of the
 * termination grace period (charts: 600 s for Alpha, 60 s for Zero). No chart has a value for the hook.
 */
function preStop({ environment, linkerdRelease }: ModelContext): JsonMap {
  const [, minor = "0"] = (clusterOf(environment).kubernetesVersion ?? linkerdRelease.minKubernetes).split(".");
  // The sleep action is enabled by default since Kubernetes 1.30 (feature gate PodLifecycleSleepAction). Older API
  // servers drop the field.
  return Number(minor) >= 30 ? { sleep: { seconds: stopSeconds } } : { exec: { command: ["sleep", String(stopSeconds)] } };
}

/**
 * Returns a patch that adds a preStop hook to the container of a StatefulSet. All versions of the chart give the
 * container the same name as the StatefulSet.
 */
function stopLate(metadata: { readonly name: string; readonly namespace?: string }, preStop: JsonMap): Patch {
  const containers = [{ name: metadata.name, lifecycle: { preStop } }];
  return { patch: { apiVersion: "apps/v1", kind: "StatefulSet", metadata, spec: { template: { spec: { containers } } } } };
}

/** Services that expose an internal port (rendered charts, the same in all versions). */
const internalServices = [
  { name: "alpha-headless", role: "alpha" },
  { name: "zero", role: "zero" },
  { name: "zero-headless", role: "zero" },
] as const;
