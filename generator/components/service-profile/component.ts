import { dgraphChart, dgraphPorts } from "../../catalog/dgraph.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { grpcRoutes } from "../../mesh/grpc-route.ts";
import { profileRoutes, serviceProfile } from "../../mesh/service-profile.ts";
import type { Component, ComponentProvider, ModelContext } from "../component.ts";
import { alphaService } from "../dgraph/names.ts";
import { routeSupportRules } from "./rules.ts";

/** Routes for Dgraph's gRPC methods, so that metrics, retries and timeouts are separate for each method. */
export const dgraphServiceProfile: ComponentProvider = {
  optional: ["service-profile"],
  rules: routeSupportRules,
  components: ({ environment: { spec } }) => (spec.dgraph.enabled && spec.dgraph.serviceProfile !== false ? [component] : []),
};

const component: Component = {
  id: "service-profile",
  group: "dgraph",
  needs: [{ component: "dgraph" }],
  build: (context) => ({
    namespace: context.environment.spec.dgraph.namespace,
    delivery: { kind: "objects", helmfile: "release" },
    objects: objects(context),
    timeoutMinutes: 2,
  }),
};

/**
 * Returns either a ServiceProfile or GRPCRoutes, because a ServiceProfile takes precedence over all routes of the same
 * Service (Linkerd docs, "Service profiles").
 */
function objects({ environment }: ModelContext): Record<string, KubernetesObject[]> {
  const { dgraph } = environment.spec;
  const service = alphaService(environment);
  const routes = profileRoutes([dgraphChart(dgraph.chart).api], dgraph.methods);
  return dgraph.serviceProfile === "grpc-route"
    ? { "grpc-routes": grpcRoutes(service, dgraphPorts.alpha.grpc, routes) }
    : { "service-profile": [serviceProfile(service, routes)] };
}
