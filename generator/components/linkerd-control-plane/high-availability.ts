import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { JsonMap } from "../../kubernetes/object.ts";

const controller = { cpu: { limit: "", request: "100m" }, memory: { limit: "250Mi", request: "50Mi" } } as const;

/**
 * Values of the chart's values-ha.yaml, with two exceptions. `webhookFailurePolicy` is omitted, because meshops sets
 * this value from the spec. Values that no template uses are omitted: `controllerResources` in all four releases of the
 * catalog, and `policyControllerResources` in stable-2.14, where the template uses `policyController.resources`.
 * values-ha.yaml is the same in all edge releases of the catalog. In stable-2.14, values-ha.yaml sets the resources of
 * the policy controller, but not the size of the PodDisruptionBudget.
 */
export function highAvailability(release: LinkerdRelease): JsonMap {
  return {
    enablePodDisruptionBudget: true,
    ...(release.channel === "edge"
      ? { controller: { podDisruptionBudget: { maxUnavailable: 1 } } }
      : { policyController: { resources: controller } }),
    deploymentStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: "25%" } },
    enablePodAntiAffinity: true,
    proxy: { resources: { cpu: { request: "100m" }, memory: { limit: "250Mi", request: "20Mi" } } },
    controllerReplicas: 3,
    destinationResources: controller,
    identityResources: { cpu: controller.cpu, memory: { limit: "250Mi", request: "10Mi" } },
    heartbeatResources: controller,
    proxyInjectorResources: controller,
    spValidatorResources: controller,
    highAvailability: true,
  };
}
