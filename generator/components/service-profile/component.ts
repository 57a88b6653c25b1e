import { dgraphPorts } from "../../catalog/dgraph.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { grpcRoutes } from "../../mesh/grpc-route.ts";
import { routesOf, serviceProfile } from "../../mesh/service-profile.ts";
import type { Component, Context } from "../component.ts";
import { alphaService } from "../dgraph/names.ts";

/** Dgraph's gRPC methods, so that the mesh counts, retries and limits each by itself. */
export const dgraphServiceProfile: Component = {
  name: "service-profile",
  needs: ["dgraph"],
  enabled: ({ environment }) => environment.spec.dgraph.serviceProfile !== false,
  build: (context) => ({
    namespace: context.environment.spec.dgraph.namespace,
    partOf: "dgraph",
    resources: resources(context),
    timeoutMinutes: 2,
  }),
};

/** One kind alone: a ServiceProfile takes precedence over every route of the same Service (Linkerd docs, "Service profiles"). */
function resources({ environment, dgraphChart }: Context): Record<string, KubernetesObject[]> {
  const { dgraph } = environment.spec;
  const service = alphaService(environment);
  const routes = routesOf([dgraphChart.api], dgraph.methods);
  return dgraph.serviceProfile === "grpc-route"
    ? { "grpc-routes": grpcRoutes(service, dgraphPorts.alpha.grpc, routes) }
    : { "service-profile": [serviceProfile(service, routes)] };
}
