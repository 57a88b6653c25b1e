import type { Component } from "../component.ts";
import { dgraphAuthorization } from "./authorization.ts";
import { dgraphNetworkPolicies } from "./network-policies.ts";

/** Who may talk to Dgraph, said twice: to the network, and to the mesh. */
export const dgraphPolicy: Component = {
  name: "dgraph-policy",
  needs: ["dgraph"],
  enabled: ({ environment }) => environment.spec.dgraph.networkPolicy,
  build: ({ environment, linkerdRelease: track, dgraphChart }) => ({
    namespace: environment.spec.dgraph.namespace,
    partOf: "dgraph",
    resources: {
      "network-policies": dgraphNetworkPolicies(environment, track),
      authorization: dgraphAuthorization(environment, track, dgraphChart),
    },
    timeoutMinutes: 2,
  }),
};
