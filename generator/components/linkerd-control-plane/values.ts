import { createHash } from "node:crypto";
import { imagePath, mirroredName } from "../../catalog/image.ts";
import { linkerdImages } from "../../catalog/linkerd-images.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import type { ModelContext } from "../component.ts";
import { usesIpv6 } from "../ipv6.ts";
import { mirrorField } from "../mirror.ts";
import { type OwnedValue, owned, ownedPaths } from "../owned.ts";
import { tracingBackend } from "../tracing-backend.ts";
import { mergeValues } from "../values.ts";
import { highAvailability } from "./high-availability.ts";
import { settingsValues } from "./settings.ts";

/** Values of the linkerd-control-plane chart. */
export function controlPlaneValues(context: ModelContext): JsonMap {
  const { environment, identity, linkerdRelease } = context;
  const { linkerd } = environment.spec;
  const { podAnnotations, ...issued } = identity.chartValues("linkerd-control-plane");
  const own: JsonMap = {
    clusterDomain: linkerd.clusterDomain,
    identityTrustDomain: linkerd.identity.trustDomain,
    ...issued,
    webhookFailurePolicy: failurePolicy(context),
    heartbeatSchedule: heartbeatSchedule(environment.metadata.name),
    ...(podAnnotations === undefined ? {} : { podAnnotations }),
    cniEnabled: linkerd.cni,
    ...(linkerd.defaultInboundPolicy === chartDefaultPolicy
      ? {}
      : { proxy: { defaultInboundPolicy: linkerd.defaultInboundPolicy } }),
    ...(usesIpv6(environment) ? { disableIPv6: false } : {}),
  };
  return mergeValues(
    linkerd.highAvailability ? highAvailability(linkerdRelease) : {},
    settingsValues(context),
    own,
    tracing(context),
    images(context),
  );
}

/**
 * Returns the chart values that overrides must not replace: the values for identity, mirrored images, the trust domain,
 * the cluster domain, the failure policy of the webhooks, and the CNI plugin.
 */
export function ownedControlPlaneValues(context: ModelContext): OwnedValue[] {
  return [
    ...owned(context.identity.chartValues("linkerd-control-plane"), "linkerd.identity"),
    ...owned(images(context), mirrorField(context.environment)),
    ...ownedPaths(["identityTrustDomain"], "linkerd.identity.trustDomain"),
    ...ownedPaths(["clusterDomain"], "linkerd.clusterDomain"),
    ...ownedPaths(["webhookFailurePolicy"], "linkerd.webhookFailurePolicy"),
    ...ownedPaths(["cniEnabled"], "linkerd.cni"),
  ];
}

/**
 * Default inbound policy of the chart in all releases of the catalog. meshops does not write this default to the chart
 * values, so that the generated files are the same as those of older versions of meshops.
 */
const chartDefaultPolicy = "all-unauthenticated";

function failurePolicy({ environment: { spec } }: ModelContext): "Ignore" | "Fail" {
  const { webhookFailurePolicy, highAvailability } = spec.linkerd;
  return webhookFailurePolicy === "auto" ? (highAvailability ? "Fail" : "Ignore") : webhookFailurePolicy;
}

/**
 * Schedule of the heartbeat: once a day, at a time derived from the environment's name. Without this value, the chart
 * uses the time at which Helm renders the chart.
 */
function heartbeatSchedule(name: string): string {
  const minutes = createHash("sha256").update(name).digest().readUInt32BE(0) % (24 * 60);
  return `${minutes % 60} ${Math.floor(minutes / 60)} * * *`;
}

/**
 * Values for tracing. If the release has the jaeger chart, the webhook of that chart configures the proxies, and
 * `controlPlaneTracing` configures the control plane. `controlPlaneTracing` is set only for releases in which traces of
 * the control plane reach Jaeger. If the release does not have the jaeger chart, `proxy.tracing` configures the
 * proxies. `controller.tracing` is not set, because the controllers still export OpenCensus (linkerd2 edge-26.8.3,
 * pkg/trace/trace.go), which Jaeger v2 does not accept.
 */
function tracing({ environment: { spec }, linkerdRelease }: ModelContext): JsonMap {
  if (!spec.linkerd.jaeger.enabled) return {};
  if (linkerdRelease.traits.tracing === "jaeger-chart")
    return linkerdRelease.traits.controlPlaneTracing
      ? { controlPlaneTracing: true, controlPlaneTracingNamespace: tracingBackend(linkerdRelease).namespace }
      : {};
  const { endpoint, serviceAccount, namespace } = tracingBackend(linkerdRelease);
  const meshIdentity = { serviceAccountName: serviceAccount, namespace };
  return { proxy: { tracing: { enabled: true, collector: { endpoint, meshIdentity } } } };
}

/** Returns the chart values that set the names of the images in the mirror; an empty map if images are not mirrored. */
function images({ linkerdRelease, mirror }: ModelContext): JsonMap {
  if (mirror === null) return {};
  const from = (name: string): string => mirroredName(`cr.l5d.io/linkerd/${name}`, mirror);
  const has = new Set(linkerdImages(linkerdRelease, "linkerd-control-plane").map((image) => imagePath(image.name)));
  return {
    controllerImage: from("controller"),
    debugContainer: { image: { name: from("debug") } },
    ...(has.has("linkerd/policy-controller") ? { policyController: { image: { name: from("policy-controller") } } } : {}),
    proxy: { image: { name: from("proxy") } },
    ...(has.has("linkerd/proxy-init") ? { proxyInit: { image: { name: from("proxy-init") } } } : {}),
  };
}
