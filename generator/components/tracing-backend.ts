/** Where traces are sent and shown: the names are the jaeger chart's, and those of the Jaeger in bases/linkerd-jaeger. */
export const tracingBackend = {
  namespace: "linkerd-jaeger",
  serviceAccount: "jaeger",
  /** OTLP over gRPC, without a scheme (linkerd docs, "Distributed tracing with Linkerd"). */
  endpoint: "jaeger.linkerd-jaeger:4317",
  /** The query UI that viz's dashboard proxies under /jaeger. */
  ui: "jaeger.linkerd-jaeger:16686",
} as const;
