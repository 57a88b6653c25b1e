import type { LinkerdRelease } from "../catalog/linkerd.ts";

/** Where traces are sent and shown. */
export interface TracingBackend {
  readonly namespace: string;
  /** Service account of what takes the traces: its identity in the mesh. */
  readonly serviceAccount: string;
  /** OTLP over gRPC, without a scheme (Linkerd docs, "Distributed tracing with Linkerd"). */
  readonly endpoint: string;
  /** The query UI that viz's dashboard proxies under /jaeger. */
  readonly ui: string;
}

const namespace = "linkerd-jaeger";

/**
 * The backend of a release: the jaeger chart's, or the Jaeger in bases/linkerd-jaeger/standalone. The latter has names of
 * its own: an upgrade from one to the other brings the new before it removes the old, and selectors cannot be changed.
 */
export function tracingBackend({ traits }: LinkerdRelease): TracingBackend {
  const [jaeger, collector] = traits.tracing === "jaeger-chart" ? ["jaeger", "collector"] : [standaloneJaeger, standaloneJaeger];
  return { namespace, serviceAccount: collector, endpoint: `${collector}.${namespace}:4317`, ui: `${jaeger}.${namespace}:16686` };
}

/** Name of the objects in bases/linkerd-jaeger/standalone. */
export const standaloneJaeger = "jaeger-otlp";
