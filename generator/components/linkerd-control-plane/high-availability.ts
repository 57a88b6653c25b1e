import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { JsonMap } from "../../kubernetes/object.ts";

const controller = { cpu: { limit: "", request: "100m" }, memory: { limit: "250Mi", request: "50Mi" } } as const;

/**
 * What the chart's own values-ha.yaml sets, without `webhookFailurePolicy`, which the spec decides, and without what no template reads:
 * `controllerResources` in all four releases, `policyControllerResources` in stable-2.14, whose template reads `policyController.resources`.
 * The file is the same on all edge releases here; stable-2.14 has the policy controller's resources instead of the disruption budget's size.
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
