import { registryIn } from "../../catalog/image.ts";
import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import type { ModelContext } from "../component.ts";
import { mirrorField, pullSecretsOf } from "../mirror.ts";
import { type OwnedValue, owned, ownedPaths } from "../owned.ts";
import { revisionAnnotation } from "../pod-template.ts";
import { tracingBackend } from "../tracing-backend.ts";
import { mergeValues } from "../values.ts";

/** Values of the linkerd-viz chart. */
export function vizValues(context: ModelContext): JsonMap {
  const { environment, identity, linkerdRelease } = context;
  const { linkerd } = environment.spec;
  const pullSecrets = pullSecretsOf(environment, linkerd.imagePullSecrets);
  return mergeValues(
    pullSecrets === undefined ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) },
    linkerd.highAvailability ? highAvailability(linkerdRelease) : {},
    {
      clusterDomain: linkerd.clusterDomain,
      identityTrustDomain: linkerd.identity.trustDomain,
      podAnnotations: revisionAnnotation(identity.revision()),
    },
    // meshops generates the namespace with its labels, so the chart's job is not needed.
    linkerdRelease.traits.extensionJob === "optional" ? { createNamespaceMetadataJob: false } : {},
    identity.chartValues("linkerd-viz"),
    linkerd.jaeger.enabled ? { jaegerUrl: tracingBackend(linkerdRelease).ui } : {},
    // The Service of the Grafana chart has port 80 (grafana-community/helm-charts, values.yaml: service.port).
    linkerd.viz.grafana ? { grafana: { url: "grafana.grafana" } } : {},
    images(context),
  );
}

/**
 * Returns the chart values that overrides must not replace: the values for the webhooks' certificates, mirrored images,
 * the trust domain, and the cluster domain.
 */
export function ownedVizValues(context: ModelContext): OwnedValue[] {
  return [
    ...owned(context.identity.chartValues("linkerd-viz"), "linkerd.identity"),
    ...owned(images(context), mirrorField(context.environment)),
    ...ownedPaths(["identityTrustDomain"], "linkerd.identity.trustDomain"),
    ...ownedPaths(["clusterDomain"], "linkerd.clusterDomain"),
  ];
}

function images({ mirror }: ModelContext): JsonMap {
  if (mirror === null) return {};
  const prometheus = { image: { registry: `${registryIn(mirror, "docker.io")}/prom` } };
  return { defaultRegistry: `${registryIn(mirror, "cr.l5d.io")}/linkerd`, prometheus };
}

const resources = { cpu: { limit: "", request: "100m" }, memory: { limit: "250Mi", request: "50Mi" } } as const;

/**
 * Values of the chart's values-ha.yaml (linkerd2, viz/charts/linkerd-viz). The key `resources` of this file is omitted,
 * because no template uses this key.
 */
function highAvailability(release: LinkerdRelease): JsonMap {
  return {
    enablePodAntiAffinity: true,
    ...(release.channel === "edge" ? { enablePodDisruptionBudget: true } : {}),
    tap: { replicas: 3, resources },
    dashboard: { resources },
    prometheus: { resources: { cpu: { limit: "", request: "300m" }, memory: { limit: "8192Mi", request: "300Mi" } } },
  };
}
