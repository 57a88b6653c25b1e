import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { webhookSelectors } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component } from "../component.ts";
import { controlPlaneChanges } from "./change-rules.ts";
import { controlPlaneRules } from "./rules.ts";
import { controlPlaneValues } from "./values.ts";

/** Linkerd's control plane: identity, destination and policy, proxy injector. */
export const linkerdControlPlane: Component = {
  name: "linkerd-control-plane",
  needs: ["linkerd-crds", "identity"],
  enabled: () => true,
  reservedNamespaces: ["linkerd"],
  apiRegistrations: "linkerd.io/control-plane-ns=linkerd",
  rules: controlPlaneRules,
  changeRules: [controlPlaneChanges, chartVersion("linkerd-control-plane")],
  build: (context) => ({
    namespace: "linkerd",
    partOf: "linkerd",
    base: "linkerd-control-plane",
    release: {
      name: "linkerd-control-plane",
      chart: "linkerd-control-plane",
      repository: linkerdRepository(context.linkerdRelease),
      version: context.linkerdRelease.charts["linkerd-control-plane"],
      values: controlPlaneValues(context),
      patches: [],
      driftIgnored: webhookSelectors(context, ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]),
    },
    images: linkerdImages(context.linkerdRelease, "linkerd-control-plane"),
    timeoutMinutes: 5,
  }),
};
