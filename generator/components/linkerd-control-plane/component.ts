import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { admissionWebhooksLabel, injectKey, meshedLabel } from "../../catalog/well-known.ts";
import { admissionDrift } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component, ComponentProvider, ModelContext, NamespaceSpec } from "../component.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { ofLinkerd } from "../of-others.ts";
import { assessedPaths } from "./assessed.ts";
import { controlPlaneChanges } from "./change-rules.ts";
import { controlPlaneChecks } from "./checks.ts";
import { controlPlaneRules } from "./rules.ts";
import { settingsPatches } from "./settings.ts";
import { controlPlaneValues, ownedControlPlaneValues } from "./values.ts";

/** Linkerd's control plane: the identity controller, the destination and policy controllers, and the proxy injector. */
export const linkerdControlPlane: ComponentProvider = {
  reservedNamespaces: ["linkerd"],
  partOfLinkerd: ["linkerd-control-plane"],
  rules: controlPlaneRules,
  assessedValues: { helmRelease: "linkerd-control-plane", paths: assessedPaths, effect: null },
  changeRules: [controlPlaneChanges, chartVersion("linkerd-control-plane")],
  components: (context) => [ofLinkerd(context, controlPlane)],
};

const controlPlane: Component = {
  id: "linkerd-control-plane",
  group: "linkerd",
  needs: [{ component: "linkerd-crds" }, { component: "identity" }],
  apiRegistrations: "linkerd.io/control-plane-ns=linkerd",
  build: (context) => ({
    namespace: "linkerd",
    namespaces: [namespace(context)],
    delivery: {
      kind: "chart",
      base: "linkerd-control-plane",
      release: {
        name: "linkerd-control-plane",
        chart: "linkerd-control-plane",
        repository: linkerdRepository(context.linkerdRelease),
        clusterScoped: true,
        version: context.linkerdRelease.charts["linkerd-control-plane"],
        values: controlPlaneValues(context),
      },
    },
    valuesFrom: context.identity.chartValuesFrom("linkerd-control-plane"),
    patches: settingsPatches(context),
    images: linkerdImages(context.linkerdRelease, "linkerd-control-plane"),
    ignoredDrift: admissionDrift(context, ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]),
    checks: controlPlaneChecks,
    owned: ownedControlPlaneValues(context),
  }),
};

/**
 * Namespace of the control plane, with the labels that the chart's own template sets. Webhooks ignore this namespace,
 * because the injector must be able to start while no injector is running.
 */
function namespace({ environment }: ModelContext): NamespaceSpec {
  return {
    name: "linkerd",
    labels: {
      [admissionWebhooksLabel]: "disabled",
      [meshedLabel]: "linkerd",
      "linkerd.io/is-control-plane": "true",
      ...podSecurity(environment, "restricted"),
    },
    annotations: { [injectKey]: "disabled" },
  };
}
