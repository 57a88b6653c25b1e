/**
 * Chart values that meshops generates for the control plane. meshops can also assess all values whose names end in
 * `Resources`.
 */
export const assessedPaths: readonly string[] = [
  ...["clusterDomain", "cniEnabled", "controlPlaneTracing", "controlPlaneTracingNamespace", "disableIPv6", "heartbeatSchedule"],
  ...["controller.podDisruptionBudget", "controllerReplicas", "imagePullSecrets", "deploymentStrategy", "highAvailability"],
  ...["enablePodAntiAffinity", "enablePodDisruptionBudget", "webhookFailurePolicy"],
  ...["identity.externalCA", "identity.issuer.scheme", "identityTrustAnchorsPEM", "identityTrustDomain"],
  ...["policyValidator", "profileValidator", "proxyInjector"].flatMap((webhook) => [
    `${webhook}.caBundle`,
    `${webhook}.externalSecret`,
    `${webhook}.injectCaFrom`,
  ]),
  ...["controllerImage", "debugContainer.image", "policyController.image", "proxy.image", "proxyInit.image", "proxy.tracing"],
  "proxy.defaultInboundPolicy",
];
