import { mirroredName, registryIn } from "../../catalog/image.ts";
import { linkerdImages } from "../../catalog/linkerd-images.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import type { ModelContext } from "../component.ts";
import { mirrorField, pullSecretsOf } from "../mirror.ts";
import { type OwnedValue, owned, ownedPaths } from "../owned.ts";
import { mergeValues } from "../values.ts";

/** Values of the linkerd-jaeger chart. */
export function jaegerValues(context: ModelContext): JsonMap {
  const { environment, identity, linkerdRelease } = context;
  const pullSecrets = pullSecretsOf(environment);
  return mergeValues(
    // The injector uses this value only for the collector's identity, which ends with the trust domain (linkerd2,
    // jaeger/injector/mutator).
    { clusterDomain: environment.spec.linkerd.identity.trustDomain },
    linkerdRelease.traits.extensionJob === "optional" ? { createNamespaceMetadataJob: false } : {},
    identity.chartValues("linkerd-jaeger"),
    pullSecrets === undefined ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) },
    images(context),
  );
}

/**
 * Returns the chart values that overrides must not replace: the values for the webhook's certificate, mirrored images,
 * and the trust domain (`clusterDomain`).
 */
export function ownedJaegerValues(context: ModelContext): OwnedValue[] {
  return [
    ...owned(context.identity.chartValues("linkerd-jaeger"), "linkerd.identity"),
    ...owned(images(context), mirrorField(context.environment)),
    ...ownedPaths(["clusterDomain"], "linkerd.identity.trustDomain"),
  ];
}

/** Returns the chart values that set the names of the images in the mirror; an empty map if images are not mirrored. */
function images({ linkerdRelease, mirror }: ModelContext): JsonMap {
  if (mirror === null) return {};
  const from = (suffix: string): JsonMap => {
    const image = linkerdImages(linkerdRelease, "linkerd-jaeger").find(({ name }) => name.includes(suffix));
    if (image === undefined) throw new Error(`linkerd-jaeger of ${linkerdRelease.version} has no image ${suffix}`);
    return { image: { name: mirroredName(image.name, mirror) } };
  };
  return {
    collector: from("opentelemetry-collector"),
    jaeger: from("all-in-one"),
    webhook: from("jaeger-webhook"),
    namespaceMetadata: { image: { registry: `${registryIn(mirror, "cr.l5d.io")}/linkerd` } },
  };
}
