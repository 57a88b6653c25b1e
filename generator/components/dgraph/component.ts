import { dgraphImages } from "../../catalog/dgraph.ts";
import { dgraphRepository } from "../../catalog/repositories.ts";
import type { Component } from "../component.ts";
import { dgraphChanges } from "./change-rules.ts";
import { dgraphPatches } from "./patches.ts";
import { dgraphRules } from "./rules.ts";
import { dgraphValues } from "./values.ts";

/** Dgraph, injected. After viz and jaeger, whose injectors only reach pods that start after them. */
export const dgraph: Component = {
  name: "dgraph",
  needs: ["linkerd-control-plane", "linkerd-viz", "linkerd-jaeger"],
  enabled: () => true,
  rules: dgraphRules,
  changeRules: [dgraphChanges],
  build: (context) => {
    const { dgraph } = context.environment.spec;
    return {
      namespace: dgraph.namespace,
      partOf: "dgraph",
      base: "dgraph",
      release: {
        name: dgraph.release,
        chart: "dgraph",
        repository: dgraphRepository,
        version: context.dgraphChart.version,
        values: dgraphValues(context),
        patches: dgraphPatches(context),
        driftIgnored: [],
      },
      images: dgraphImages(context.dgraphChart),
      timeoutMinutes: 15,
    };
  },
};
