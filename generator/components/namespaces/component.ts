import { admissionWebhooksLabel, injectKey, meshedLabel } from "../../catalog/well-known.ts";
import type { KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import type { Component, Context } from "../component.ts";

/** Namespaces, first of all: Helm renders none, and Secrets precede the charts. */
export const namespaces: Component = {
  name: "namespaces",
  needs: [],
  enabled: () => true,
  build: (context) => ({
    namespace: "linkerd",
    partOf: "meshops",
    helmfile: "hook",
    resources: { namespaces: [controlPlane(context), ...extensions(context), ...applications(context)] },
    timeoutMinutes: 2,
  }),
};

/**
 * The control plane's namespace, labelled as its chart's own template does. Webhooks leave it alone:
 * the injector must be able to start while no injector runs.
 */
function controlPlane(context: Context): KubernetesObject {
  const labels = {
    [admissionWebhooksLabel]: "disabled",
    [meshedLabel]: "linkerd",
    "linkerd.io/is-control-plane": "true",
    ...podSecurity(context, "restricted"),
  };
  return namespace("linkerd", labels, { [injectKey]: "disabled" });
}

/** Namespaces of the extensions; their own labelling Job is switched off, so the labels stand here. */
function extensions(context: Context): KubernetesObject[] {
  const { viz, jaeger } = context.environment.spec.linkerd;
  const extension = (name: string): StringMap => ({ "linkerd.io/extension": name, ...podSecurity(context, "restricted") });
  // The Jaeger of releases without the extension is an ordinary workload: no extension to `linkerd check`.
  const jaegerLabels = context.linkerdRelease.traits.tracing === "jaeger-chart" ? extension("jaeger") : podSecurity(context);
  return [
    ...(viz.enabled ? [namespace("linkerd-viz", extension("viz"))] : []),
    ...(viz.enabled && viz.grafana ? [namespace("grafana", podSecurity(context))] : []),
    ...(jaeger.enabled ? [namespace("linkerd-jaeger", jaegerLabels)] : []),
  ];
}

function applications(context: Context): KubernetesObject[] {
  const { dgraph, pydgraphClient } = context.environment.spec;
  const data = namespace(dgraph.namespace, podSecurity(context));
  if (!pydgraphClient.enabled || pydgraphClient.namespace === dgraph.namespace) return [data];
  const inject = { [injectKey]: pydgraphClient.inject ? "enabled" : "disabled" };
  return [data, namespace(pydgraphClient.namespace, podSecurity(context), inject)];
}

/**
 * Injected pods have an init container that sets up the network, which the levels baseline and restricted refuse
 * (linkerd2, templates/namespace.yaml). With the CNI plugin they have none: then `otherwise` holds, or the cluster's default.
 */
function podSecurity({ environment }: Context, otherwise?: "restricted"): StringMap {
  const level = environment.spec.linkerd.cni ? otherwise : "privileged";
  return level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
}

/**
 * Deleting a namespace deletes what is in it, HelmReleases and volume claims included, in no order: releases would leave their
 * cluster-wide objects behind, CRDs and data would go. Flux must never do so by itself; an empty namespace does no harm.
 */
const keepOnPrune = { "kustomize.toolkit.fluxcd.io/prune": "disabled" };

function namespace(name: string, labels: StringMap, annotations: StringMap = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations: { ...keepOnPrune, ...annotations } } };
}
