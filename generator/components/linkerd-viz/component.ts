import { linkerdImages } from "../../catalog/linkerd.ts";
import { linkerdRepository } from "../../catalog/repositories.ts";
import { webhookSelectors } from "../admission.ts";
import type { Component } from "../component.ts";
import { annotatePods, revisionAnnotation } from "../pod-template.ts";
import { vizValues } from "./values.ts";

/** Deployments of the chart (rendered, the same on all releases). */
const deployments = ["metrics-api", "prometheus", "tap", "tap-injector", "web"] as const;

/** The viz extension: metrics, tap and the dashboard. */
export const linkerdViz: Component = {
  name: "linkerd-viz",
  needs: ["linkerd-control-plane"],
  enabled: ({ environment }) => environment.spec.linkerd.viz.enabled,
  build: (context) => ({
    namespace: "linkerd-viz",
    partOf: "linkerd",
    base: "linkerd-viz",
    release: {
      name: "linkerd-viz",
      chart: "linkerd-viz",
      repository: linkerdRepository(context.track),
      version: context.track.charts["linkerd-viz"],
      values: vizValues(context),
      // The chart has no value for pod annotations.
      patches: deployments.map((name) =>
        annotatePods("Deployment", { name, namespace: "linkerd-viz" }, revisionAnnotation(context.identityRevision)),
      ),
      driftIgnored: webhookSelectors(context, ["MutatingWebhookConfiguration"]),
    },
    images: linkerdImages(context.track, "linkerd-viz"),
    timeoutMinutes: 10,
  }),
};
