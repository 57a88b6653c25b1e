import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { admissionDrift } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { ofLinkerd } from "../of-others.ts";
import { vizChecks } from "./checks.ts";
import { ownedVizValues, vizValues } from "./values.ts";

/** The viz extension: metrics, tap and the dashboard. */
export const linkerdViz: ComponentProvider = {
  optional: ["linkerd-viz"],
  reservedNamespaces: ["linkerd-viz"],
  assessedValues: {
    helmRelease: "linkerd-viz",
    paths: [
      ...["clusterDomain", "createNamespaceMetadataJob", "enablePodAntiAffinity", "enablePodDisruptionBudget", "grafana.url"],
      ...["identityTrustDomain", "jaegerUrl", "tap.caBundle", "tap.externalSecret", "tap.injectCaFrom", "tap.replicas"],
      ...[
        "tapInjector.caBundle",
        "tapInjector.externalSecret",
        "tapInjector.injectCaFrom",
        "defaultRegistry",
        "imagePullSecrets",
        "prometheus.image",
      ],
    ],
    effect: "pods of viz can restart; if the Prometheus of viz restarts, all its metrics are lost",
  },
  partOfLinkerd: ["linkerd-viz"],
  dataInMemory: { namespace: "linkerd-viz", deployments: ["prometheus"], data: "the metrics in the Prometheus of viz" },
  changeRules: [chartVersion("linkerd-viz")],
  components: (context) => (context.environment.spec.linkerd.viz.enabled ? [ofLinkerd(context, viz)] : []),
};

const viz: Component = {
  id: "linkerd-viz",
  group: "linkerd",
  needs: [{ component: "linkerd-control-plane" }],
  apiRegistrations: "linkerd.io/extension=viz",
  build: (context) => ({
    namespace: "linkerd-viz",
    // meshops sets the extension's label, because the chart's Job that labels the namespace is disabled.
    namespaces: [
      { name: "linkerd-viz", labels: { "linkerd.io/extension": "viz", ...podSecurity(context.environment, "restricted") } },
    ],
    delivery: {
      kind: "chart",
      base: "linkerd-viz",
      release: {
        name: "linkerd-viz",
        chart: "linkerd-viz",
        repository: linkerdRepository(context.linkerdRelease),
        clusterScoped: true,
        version: context.linkerdRelease.charts["linkerd-viz"],
        values: vizValues(context),
      },
    },
    images: linkerdImages(context.linkerdRelease, "linkerd-viz"),
    ignoredDrift: [...admissionDrift(context, ["MutatingWebhookConfiguration", "APIService"])],
    checks: vizChecks,
    owned: ownedVizValues(context),
  }),
};
