import type { JsonMap, KubernetesObject } from "../../model.ts";
import type { Component, Context } from "../component.ts";

/** Namespaces, first of all: Helm renders none, and Secrets precede the charts. */
export const namespaces: Component = {
  name: "namespaces",
  needs: [],
  enabled: () => true,
  build: (context) => ({
    namespace: "linkerd",
    partOf: "meshops",
    base: "namespaces",
    helmfile: "hook",
    resources: { namespaces: [...extensions(context), ...applications(context)] },
    timeoutMinutes: 2,
  }),
};

/** Namespaces of the extensions; their own labelling Job is switched off, so the labels stand here. */
function extensions({ environment: { spec }, track }: Context): KubernetesObject[] {
  const { viz, jaeger } = spec.linkerd;
  // The Jaeger of releases without the extension is an ordinary workload: not an extension to `linkerd check`.
  const jaegerLabels: JsonMap = track.traits.tracing === "jaeger-chart" ? { "linkerd.io/extension": "jaeger" } : {};
  return [
    ...(viz.enabled ? [namespace("linkerd-viz", { "linkerd.io/extension": "viz" })] : []),
    ...(viz.enabled && viz.grafana ? [namespace("grafana")] : []),
    ...(jaeger.enabled ? [namespace("linkerd-jaeger", jaegerLabels)] : []),
  ];
}

function applications({ environment: { spec } }: Context): KubernetesObject[] {
  const { dgraph, pydgraphClient } = spec;
  const data = namespace(dgraph.namespace, {}, keepOnPrune);
  if (!pydgraphClient.enabled || pydgraphClient.namespace === dgraph.namespace) return [data];
  return [data, namespace(pydgraphClient.namespace, {}, { "linkerd.io/inject": pydgraphClient.inject ? "enabled" : "disabled" })];
}

/** Deleting the namespace would delete the volume claims and the data with them: Flux must never do so by itself. */
const keepOnPrune = { "kustomize.toolkit.fluxcd.io/prune": "disabled" };

function namespace(name: string, labels: JsonMap = {}, annotations: JsonMap = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  };
}
