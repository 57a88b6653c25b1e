import type { LinkerdRelease } from "../catalog/linkerd.ts";

/** Service that receives and shows traces. */
export interface TracingBackend {
  readonly namespace: string;
  /** Service account of the pods that receive traces: their identity in the mesh. */
  readonly serviceAccount: string;
  /** Address for OTLP over gRPC, without a scheme (Linkerd docs, "Distributed tracing with Linkerd"). */
  readonly endpoint: string;
  /** Address of the query UI, which viz's dashboard proxies under /jaeger. */
  readonly ui: string;
}

const namespace = "linkerd-jaeger";

/**
 * Tracing backend of a release: that of the jaeger chart, or the Jaeger in bases/linkerd-jaeger/standalone. The
 * standalone objects have different names, because an upgrade creates the new objects before it removes the old ones,
 * and selectors cannot be changed.
 */
export function tracingBackend({ traits }: LinkerdRelease): TracingBackend {
  const [jaeger, collector] = traits.tracing === "jaeger-chart" ? ["jaeger", "collector"] : [standaloneJaeger, standaloneJaeger];
  return { namespace, serviceAccount: collector, endpoint: `${collector}.${namespace}:4317`, ui: `${jaeger}.${namespace}:16686` };
}

/** Name of the objects in bases/linkerd-jaeger/standalone. */
export const standaloneJaeger = "jaeger-otlp";
