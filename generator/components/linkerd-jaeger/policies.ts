import type { KubernetesObject } from "../../kubernetes/object.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import { policiesFor } from "../../mesh/policies.ts";
import type { ModelContext } from "../component.ts";
import { tracingBackend } from "../tracing-backend.ts";

/**
 * Returns the policies of the standalone Jaeger. Returns an empty list if the default inbound policy of Jaeger's
 * namespace is not `deny`. Without Servers, the default inbound policy `deny` refuses the traces of all proxies. The
 * returned policies allow every meshed pod to send traces, and allow the dashboard of linkerd-viz to read traces. The
 * chart linkerd-jaeger contains similar policies (edge-25.4.4, tracing-policy.yaml).
 */
export function jaegerPolicies({ environment, linkerdRelease }: ModelContext): readonly KubernetesObject[] {
  const { namespace, serviceAccount: name } = tracingBackend(linkerdRelease);
  if (defaultPolicyIn(namespace, environment) !== "deny") return [];
  const viz = environment.spec.linkerd.viz.enabled;
  const dashboard = { serviceAccountRef: { namespace: "linkerd-viz", name: "web" }, ports: ["ui"] };
  return policiesFor(
    {
      name,
      title: "Jaeger",
      namespace,
      workloadRef: { kind: "Deployment", name },
      selector: { matchLabels: { "app.kubernetes.io/name": name } },
      serviceAccountName: name,
      inject: "enabled",
      replicas: 1,
      ports: {
        "otlp-grpc": { port: 4317, protocol: "gRPC" },
        "otlp-http": { port: 4318, protocol: "HTTP/1" },
        ui: { port: 16686, protocol: "HTTP/1" },
      },
      access: {
        mode: "enforce",
        viz,
        clients: [{ all: "meshed", ports: ["otlp-grpc", "otlp-http"] }, ...(viz ? [dashboard] : [])],
      },
    },
    linkerdRelease,
  ).mesh;
}
