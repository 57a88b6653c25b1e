import { linkerdImages } from "../../catalog/linkerd-images.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { webhookSelectors } from "../admission.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component } from "../component.ts";
import { vizValues } from "./values.ts";

/** The viz extension: metrics, tap and the dashboard. */
export const linkerdViz: Component = {
  name: "linkerd-viz",
  needs: ["linkerd-control-plane"],
  enabled: ({ environment }) => environment.spec.linkerd.viz.enabled,
  reservedNamespaces: ["linkerd-viz"],
  apiRegistrations: "linkerd.io/extension=viz",
  changeRules: [chartVersion("linkerd-viz")],
  build: (context) => ({
    namespace: "linkerd-viz",
    partOf: "linkerd",
    base: "linkerd-viz",
    release: {
      name: "linkerd-viz",
      chart: "linkerd-viz",
      repository: linkerdRepository(context.linkerdRelease),
      version: context.linkerdRelease.charts["linkerd-viz"],
      values: vizValues(context),
      patches: [],
      driftIgnored: webhookSelectors(context, ["MutatingWebhookConfiguration"]),
    },
    images: linkerdImages(context.linkerdRelease, "linkerd-viz"),
    timeoutMinutes: 5,
  }),
};
