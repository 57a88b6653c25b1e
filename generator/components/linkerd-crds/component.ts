import { linkerdRepository } from "../../catalog/repositories.ts";
import type { Component } from "../component.ts";
import { crdChanges } from "./change-rules.ts";

/** Linkerd's custom resource definitions, and the Gateway API's where the environment leaves them to Linkerd. */
export const linkerdCrds: Component = {
  name: "linkerd-crds",
  needs: ["namespaces"],
  enabled: () => true,
  changeRules: [crdChanges],
  build: ({ environment, linkerdRelease: track }) => ({
    namespace: "linkerd",
    partOf: "linkerd",
    base: "linkerd-crds",
    release: {
      name: "linkerd-crds",
      chart: "linkerd-crds",
      repository: linkerdRepository(track),
      version: track.charts["linkerd-crds"],
      values: { [track.traits.gatewayApi.value]: environment.spec.linkerd.gatewayApi === "linkerd" },
      patches: [],
      driftIgnored: [],
    },
    timeoutMinutes: 5,
  }),
};
