import { linkerdRelease } from "../../catalog/linkerd.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules for tracing. */
export const jaegerRules: readonly Rule[] = [
  {
    code: "jaeger-trust-domain",
    severity: "warning",
    title: "No traces reach Jaeger if the trust domain is not the cluster domain",
    why:
      "The control plane chart of edge-25.10.7 builds the identity of the trace collector from the cluster domain instead of the trust domain. If these two domains differ, proxies " +
      "do not trust Jaeger and send no traces (linkerd2#15404, fixed in edge-26.7.1).",
    fix: "Use edge-26.7.1 or later, or set `linkerd.jaeger.enabled: false`.",
    check: jaegerTrustDomain,
  },
];

function* jaegerTrustDomain({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { collectorIdentity, tracing } = linkerdRelease(linkerd.version).traits;
  if (!linkerd.jaeger.enabled || tracing !== "built-in" || collectorIdentity === "trustDomain") return;
  if (linkerd.identity.trustDomain === linkerd.clusterDomain) return;
  yield {
    paths: [spec("linkerd", "identity", "trustDomain"), spec("linkerd", "clusterDomain")],
    message: `proxies of Linkerd ${linkerd.version} send no traces. They expect the identity of Jaeger in the trust domain ${linkerd.clusterDomain}, but Jaeger has an identity in the trust domain ${linkerd.identity.trustDomain}`,
    fix: "use edge-26.8.3, or set linkerd.jaeger.enabled: false",
  };
}
