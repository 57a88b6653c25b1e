import { jaegerImage } from "../../catalog/addons.ts";
import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { webhookSelectors } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Built, Component, Context } from "../component.ts";
import { annotatePods, revisionAnnotation } from "../pod-template.ts";
import { standaloneJaeger } from "../tracing-backend.ts";
import { jaegerRules } from "./rules.ts";
import { jaegerValues } from "./values.ts";

/** Tracing: the linkerd-jaeger extension where the release has one, else a Jaeger of our own that takes OTLP. */
export const linkerdJaeger: Component = {
  name: "linkerd-jaeger",
  needs: ["linkerd-control-plane"],
  enabled: ({ environment }) => environment.spec.linkerd.jaeger.enabled,
  reservedNamespaces: ["linkerd-jaeger"],
  apiRegistrations: "linkerd.io/extension=jaeger",
  rules: jaegerRules,
  changeRules: [chartVersion("linkerd-jaeger")],
  build: (context) => {
    const version = context.linkerdRelease.charts["linkerd-jaeger"];
    return version === undefined ? standalone(context) : extension(context, version);
  },
};

const common = { namespace: "linkerd-jaeger", partOf: "linkerd", timeoutMinutes: 5 } as const;

/** Deployments of the chart (rendered, the same on both releases that have it). */
const deployments = ["collector", "jaeger", "jaeger-injector"] as const;

function extension(context: Context, version: string): Built {
  return {
    ...common,
    base: "linkerd-jaeger/extension",
    release: {
      name: "linkerd-jaeger",
      chart: "linkerd-jaeger",
      repository: linkerdRepository(context.linkerdRelease),
      version,
      values: jaegerValues(context),
      patches: deployments.map((name) => rolledByIdentity(name, context)),
      driftIgnored: webhookSelectors(context, ["MutatingWebhookConfiguration"]),
    },
    images: linkerdImages(context.linkerdRelease, "linkerd-jaeger"),
  };
}

function standalone(context: Context): Built {
  return {
    ...common,
    base: "linkerd-jaeger/standalone",
    patches: [rolledByIdentity(standaloneJaeger, context)],
    images: [jaegerImage],
    baseImages: { [jaegerImage.name]: jaegerImage },
  };
}

/** A patch that makes a Deployment's pods restart when identity demands it; neither Jaeger has a value for that. */
function rolledByIdentity(name: string, { identityRevision }: Context): KubernetesObject {
  return annotatePods("Deployment", { name, namespace: common.namespace }, revisionAnnotation(identityRevision));
}
