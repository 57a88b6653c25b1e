import { linkerdRepository } from "../../catalog/repositories.ts";
import { installsLinkerd } from "../../spec/ownership.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { crdChanges } from "./change-rules.ts";

/** Linkerd's CRDs, and the Gateway API's CRDs if the spec sets `gatewayApi: linkerd`. */
export const linkerdCrds: ComponentProvider = {
  optional: ["linkerd-crds"],
  keptReleases: ["linkerd-crds"],
  partOfLinkerd: ["linkerd-crds"],
  assessedValues: { helmRelease: "linkerd-crds", paths: ["enableHttpRoutes", "installGatewayAPI"], effect: null },
  changeRules: [crdChanges],
  components: ({ environment }) => (installsLinkerd(environment) ? [crds] : []),
};

const crds: Component = {
  id: "linkerd-crds",
  group: "linkerd",
  needs: [{ component: "namespaces" }],
  build: ({ environment, linkerdRelease: release }) => ({
    namespace: "linkerd",
    delivery: {
      kind: "chart",
      base: "linkerd-crds",
      release: {
        name: "linkerd-crds",
        chart: "linkerd-crds",
        repository: linkerdRepository(release),
        clusterScoped: true,
        version: release.charts["linkerd-crds"],
        values: { [release.traits.gatewayApi.value]: environment.spec.linkerd.gatewayApi === "linkerd" },
      },
    },
  }),
};
