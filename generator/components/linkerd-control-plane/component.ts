import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { admissionWebhooksLabel, injectKey, meshedLabel } from "../../catalog/well-known.ts";
import { webhookSelectors } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component, ComponentProvider, Context, NamespaceSpec } from "../component.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { controlPlaneChanges } from "./change-rules.ts";
import { controlPlaneChecks } from "./checks.ts";
import { controlPlaneRules } from "./rules.ts";
import { controlPlaneValues, ownedControlPlaneValues } from "./values.ts";

/** Linkerd's control plane: identity, destination and policy, proxy injector. */
export const linkerdControlPlane: ComponentProvider = {
  reservedNamespaces: ["linkerd"],
  rules: controlPlaneRules,
  changeRules: [controlPlaneChanges, chartVersion("linkerd-control-plane")],
  components: () => [controlPlane],
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
        version: context.linkerdRelease.charts["linkerd-control-plane"],
        values: controlPlaneValues(context),
      },
    },
    images: linkerdImages(context.linkerdRelease, "linkerd-control-plane"),
    ignoredDrift: webhookSelectors(context, ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]),
    checks: controlPlaneChecks,
    owned: ownedControlPlaneValues(context),
  }),
};

/** Labelled as the chart's own template does. Webhooks ignore this namespace: the injector must be able to start while no injector runs. */
function namespace({ environment }: Context): NamespaceSpec {
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
