import type { ComponentProvider } from "./component.ts";
import { dgraph } from "./dgraph/component.ts";
import { dgraphAvailability } from "./dgraph-availability/component.ts";
import { dgraphPolicy } from "./dgraph-policy/component.ts";
import { grafana } from "./grafana/component.ts";
import { identity } from "./identity/component.ts";
import { linkerdControlPlane } from "./linkerd-control-plane/component.ts";
import { linkerdCrds } from "./linkerd-crds/component.ts";
import { linkerdJaeger } from "./linkerd-jaeger/component.ts";
import { linkerdViz } from "./linkerd-viz/component.ts";
import { pydgraphClient } from "./pydgraph-client/component.ts";
import { dgraphServiceProfile } from "./service-profile/component.ts";
import { workloads } from "./workloads/component.ts";

/**
 * All providers of components. Generated files list the namespaces in the order of the providers. The startup order
 * depends on the needs of the components. The component `namespaces` is built from the other components (see
 * `buildModel`).
 */
export const providers: readonly ComponentProvider[] = [
  identity,
  linkerdCrds,
  linkerdControlPlane,
  linkerdViz,
  grafana,
  linkerdJaeger,
  dgraph,
  dgraphPolicy,
  dgraphAvailability,
  dgraphServiceProfile,
  pydgraphClient,
  workloads,
];
