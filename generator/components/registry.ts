import type { Component } from "./component.ts";
import { dgraph } from "./dgraph/component.ts";
import { dgraphPolicy } from "./dgraph-policy/component.ts";
import { grafana } from "./grafana/component.ts";
import { identity } from "./identity/component.ts";
import { linkerdControlPlane } from "./linkerd-control-plane/component.ts";
import { linkerdCrds } from "./linkerd-crds/component.ts";
import { linkerdJaeger } from "./linkerd-jaeger/component.ts";
import { linkerdViz } from "./linkerd-viz/component.ts";
import { namespaces } from "./namespaces/component.ts";
import { pydgraphClient } from "./pydgraph-client/component.ts";
import { dgraphServiceProfile } from "./service-profile/component.ts";

/** Every component, sorted by name; the order in which they come up follows from `needs`. */
export const components: readonly Component[] = [
  dgraph,
  dgraphPolicy,
  grafana,
  identity,
  linkerdControlPlane,
  linkerdCrds,
  linkerdJaeger,
  linkerdViz,
  namespaces,
  pydgraphClient,
  dgraphServiceProfile,
];
