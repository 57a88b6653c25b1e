import { linkerdRelease } from "../../catalog/linkerd.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { routedSets } from "../workloads/entries.ts";

/** Rule for the routes of Dgraph and of workloads. */
export const routeSupportRules: readonly Rule[] = [
  {
    code: "grpc-route-unsupported",
    severity: "error",
    title: "The Linkerd release does not support GRPCRoutes",
    why: "Linkerd supports the Gateway API's GRPCRoute from 2.16 on. Older releases ignore GRPCRoutes, so calls have no metrics per method, no retries and no timeouts.",
    fix: "For Dgraph, set `serviceProfile: true`. For a workload, set `kind: ServiceProfile`. As an alternative, use an edge release.",
    check: grpcRouteSupport,
  },
];

function* grpcRouteSupport({ spec: { dgraph, linkerd, workloads } }: Environment): Iterable<RuleFinding> {
  if (linkerdRelease(linkerd.version).traits.grpcRoute) return;
  const message = `Linkerd ${linkerd.version} does not support GRPCRoute`;
  if (dgraph.enabled && dgraph.serviceProfile === "grpc-route")
    yield {
      paths: [spec("dgraph", "serviceProfile"), spec("linkerd", "version")],
      message,
      fix: "set serviceProfile: true, or use an edge release",
    };
  for (const [workload, each] of Object.entries(workloads))
    for (const { key, routes } of routedSets(each))
      if (routes.kind === "GRPCRoute")
        yield {
          paths: [spec("workloads", workload, "pods", key, "routes", "kind"), spec("linkerd", "version")],
          message,
          fix: "set kind: ServiceProfile, or use an edge release",
        };
}
