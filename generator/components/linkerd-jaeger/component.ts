import { jaegerImage } from "../../catalog/addons.ts";
import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { admissionDrift } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { StateCheck } from "../check.ts";
import type { Component, ComponentOutput, ComponentProvider, ModelContext } from "../component.ts";
import { pullSecretsOf } from "../mirror.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { ofLinkerd } from "../of-others.ts";
import type { Patch } from "../patch.ts";
import { annotatePods, pullSecretPatches, revisionAnnotation } from "../pod-template.ts";
import { readyIn } from "../readiness.ts";
import { standaloneJaeger } from "../tracing-backend.ts";
import { jaegerPolicies } from "./policies.ts";
import { jaegerRules } from "./rules.ts";
import { jaegerValues, ownedJaegerValues } from "./values.ts";

/**
 * Tracing. If the Linkerd release has the linkerd-jaeger extension, the component is this extension. Otherwise, the
 * component is a standalone Jaeger that accepts OTLP.
 */
export const linkerdJaeger: ComponentProvider = {
  optional: ["linkerd-jaeger"],
  reservedNamespaces: ["linkerd-jaeger"],
  rules: jaegerRules,
  assessedValues: {
    helmRelease: "linkerd-jaeger",
    paths: [
      "clusterDomain",
      "createNamespaceMetadataJob",
      "webhook.caBundle",
      "webhook.externalSecret",
      "webhook.injectCaFrom",
      "webhook.image",
      "namespaceMetadata.image",
      "collector.image",
      "jaeger.image",
      "imagePullSecrets",
    ],
    effect: "pods of linkerd-jaeger can restart; if Jaeger restarts, its traces are lost",
  },
  partOfLinkerd: ["linkerd-jaeger"],
  dataInMemory: { namespace: "linkerd-jaeger", deployments: ["jaeger", standaloneJaeger], data: "the traces in Jaeger" },
  changeRules: [chartVersion("linkerd-jaeger")],
  components: (context) => (context.environment.spec.linkerd.jaeger.enabled ? [ofLinkerd(context, jaeger)] : []),
};

const namespace = "linkerd-jaeger";

const jaeger: Component = {
  id: "linkerd-jaeger",
  group: "linkerd",
  needs: [{ component: "linkerd-control-plane" }],
  apiRegistrations: "linkerd.io/extension=jaeger",
  build: (context) => {
    const version = context.linkerdRelease.charts["linkerd-jaeger"];
    return version === undefined ? standalone(context) : extension(context, version);
  },
};

const checks: readonly StateCheck[] = [
  { id: "M7", title: "tracing is ready", expected: "every workload is ready", evaluate: (state) => readyIn(state, namespace) },
];

/** Deployments of the chart. They are the same in both releases that have the chart (rendered charts). */
const deployments = ["collector", "jaeger", "jaeger-injector"] as const;

function extension(context: ModelContext, version: string): ComponentOutput {
  const labels = { "linkerd.io/extension": "jaeger", ...podSecurity(context.environment, "restricted") };
  return {
    namespace,
    namespaces: [{ name: namespace, labels }],
    checks,
    delivery: {
      kind: "chart",
      base: "linkerd-jaeger/extension",
      release: {
        name: "linkerd-jaeger",
        chart: "linkerd-jaeger",
        repository: linkerdRepository(context.linkerdRelease),
        clusterScoped: true,
        version,
        values: jaegerValues(context),
      },
    },
    patches: deployments.map((name) => restartOnIdentityChange(name, context)),
    images: linkerdImages(context.linkerdRelease, "linkerd-jaeger"),
    ignoredDrift: admissionDrift(context, ["MutatingWebhookConfiguration"]),
    owned: ownedJaegerValues(context),
  };
}

/** Output for the standalone Jaeger. `linkerd check` does not recognize this Jaeger as an extension. */
function standalone(context: ModelContext): ComponentOutput {
  const policies = jaegerPolicies(context);
  return {
    namespace,
    namespaces: [{ name: namespace, labels: podSecurity(context.environment) }],
    checks,
    delivery: {
      kind: "kustomization",
      base: "linkerd-jaeger/standalone",
      images: { [jaegerImage.name]: jaegerImage },
      contains: ["apps/v1 Deployment", "v1 Service", "v1 ServiceAccount", "v1 ConfigMap"].map(
        (type) => `${type} ${standaloneJaeger}`,
      ),
    },
    ...(policies.length === 0 ? {} : { objects: { authorization: policies } }),
    patches: [
      restartOnIdentityChange(standaloneJaeger, context),
      ...pullSecretPatches({ name: standaloneJaeger, namespace }, pullSecretsOf(context.environment)),
    ],
    images: [jaegerImage],
  };
}

/**
 * Returns a patch that adds the annotation with the identity revision to the pods of a Deployment. The pods therefore
 * restart when the identity revision changes. The patch is necessary, because neither the chart nor the standalone
 * Jaeger has a value for this annotation.
 */
function restartOnIdentityChange(name: string, { identity }: ModelContext): Patch {
  return annotatePods("Deployment", { name, namespace }, revisionAnnotation(identity.revision()));
}
