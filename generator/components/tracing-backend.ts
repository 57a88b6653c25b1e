import type { LinkerdRelease } from "../catalog/linkerd.ts";

/** Service that receives and shows traces. */
export interface TracingBackend {
  readonly namespace: string;
  /** Service account of the pods that receive traces. It determines the identity of these pods in the mesh. */
  readonly serviceAccount: string;
  /** Address for OTLP over gRPC, without a scheme (Linkerd docs, "Distributed tracing with Linkerd"). */
  readonly endpoint: string;
  /** Address of the query UI. The dashboard of viz forwards requests for /jaeger to this address. */
  readonly ui: string;
}

const namespace = "linkerd-jaeger";

/**
 * Returns the tracing backend of a Linkerd release. If the release has the linkerd-jaeger chart, the backend is the
 * Jaeger of this chart. Otherwise, the backend is the Jaeger in bases/linkerd-jaeger/standalone. The objects of the
 * standalone Jaeger and the objects of the chart have different names. An upgrade creates the new objects before it
 * removes the old objects. With the same names, the upgrade would have to change the selectors of existing objects, and
 * these selectors are immutable.
 */
export function tracingBackend({ traits }: LinkerdRelease): TracingBackend {
  const [jaeger, collector] = traits.tracing === "jaeger-chart" ? ["jaeger", "collector"] : [standaloneJaeger, standaloneJaeger];
  return { namespace, serviceAccount: collector, endpoint: `${collector}.${namespace}:4317`, ui: `${jaeger}.${namespace}:16686` };
}

/** Name of the objects in bases/linkerd-jaeger/standalone. */
export const standaloneJaeger = "jaeger-otlp";
