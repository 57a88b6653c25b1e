import type { JsonMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { ModelContext } from "../component.ts";
import { pullSecretsOf } from "../mirror.ts";
import type { Patch } from "../patch.ts";
import { given, podPatches } from "../pod-settings.ts";

/**
 * Deployments of the control plane, each with the names of the chart values that set the resources of the Deployment's
 * containers (chart, values.yaml).
 */
const deployments = {
  "linkerd-destination": ["destinationResources", "spValidatorResources"],
  "linkerd-identity": ["identityResources"],
  "linkerd-proxy-injector": ["proxyInjectorResources"],
} as const;

/** Chart values for `linkerd.controlPlane` and `linkerd.imagePullSecrets`. */
export function settingsValues({ environment, linkerdRelease }: ModelContext): JsonMap {
  const { controlPlane, imagePullSecrets } = environment.spec.linkerd;
  const pullSecrets = pullSecretsOf(environment, imagePullSecrets);
  const { replicas, resources, nodeSelector, tolerations, priorityClassName, podDisruptionBudget } = controlPlane;
  const ofContainers = resources === undefined ? [] : Object.values(deployments).flatMap((keys) => [...keys]);
  return given({
    controllerReplicas: replicas,
    nodeSelector,
    tolerations,
    priorityClassName,
    imagePullSecrets: pullSecrets?.map((name) => ({ name })),
    ...(podDisruptionBudget === undefined ? {} : { enablePodDisruptionBudget: true }),
    // The chart of stable-2.14 has no value for the size of the PodDisruptionBudget.
    ...(podDisruptionBudget === undefined || linkerdRelease.channel === "stable" ? {} : { controller: { podDisruptionBudget } }),
    ...Object.fromEntries(ofContainers.map((key) => [key, inChartForm(resources)])),
  });
}

/**
 * Converts resources from Kubernetes' format to the format of Linkerd's charts, `{cpu: {request, limit}, memory: {…}}`.
 */
function inChartForm(resources: Environment["spec"]["linkerd"]["controlPlane"]["resources"]): JsonMap {
  const { requests = {}, limits = {} } = resources ?? {};
  const of = (name: "cpu" | "memory"): JsonMap => given({ request: requests[name], limit: limits[name] });
  return { cpu: of("cpu"), memory: of("memory") };
}

/**
 * Returns patches that add topology spread constraints to the pods of the control plane. The chart has no value for
 * these constraints.
 */
export function settingsPatches({ environment }: ModelContext): Patch[] {
  const { topologySpread } = environment.spec.linkerd.controlPlane;
  return Object.keys(deployments).flatMap((name) =>
    podPatches(
      {
        kind: "Deployment",
        metadata: { name, namespace: "linkerd" },
        selector: { matchLabels: { "linkerd.io/control-plane-component": name.replace("linkerd-", "") } },
      },
      topologySpread === undefined ? {} : { topologySpread },
    ),
  );
}
