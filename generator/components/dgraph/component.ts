import { dgraphChart, dgraphImages } from "../../catalog/dgraph.ts";
import { dgraphRepository } from "../../catalog/repositories.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { dgraphAccess } from "./access-target.ts";
import { assessedPaths } from "./assessed.ts";
import { dgraphChanges } from "./change-rules.ts";
import { dgraphChecks } from "./checks.ts";
import { dgraphPatches } from "./patches.ts";
import { dgraphPods } from "./pods.ts";
import { dgraphRules } from "./rules.ts";
import { storageChanges } from "./storage-changes.ts";
import { internalPortsRefused, internalPortsStall } from "./transition-rules.ts";
import { dgraphValues, ownedDgraphValues } from "./values.ts";

/** Dgraph with injected proxies. */
export const dgraph: ComponentProvider = {
  optional: ["dgraph"],
  namespaceField: { section: "dgraph", byDefault: "dgraph" },
  keptReleases: ["dgraph"],
  assessedValues: { helmRelease: "dgraph", paths: assessedPaths, effect: null },
  rules: dgraphRules,
  fileRules: [internalPortsStall, internalPortsRefused],
  changeRules: [dgraphChanges, storageChanges],
  components: ({ environment }) => (environment.spec.dgraph.enabled ? [component] : []),
};

const component: Component = {
  id: "dgraph",
  group: "dgraph",
  // The policies must be applied first. Otherwise, every pod in the cluster can connect to Dgraph until all pods of
  // Dgraph are ready (observed on edge-26.8.3).
  needs: [{ component: "linkerd-control-plane" }, { component: "dgraph-policy" }],
  build: (context) => {
    const { environment } = context;
    const { namespace, release, chart } = environment.spec.dgraph;
    const { version } = dgraphChart(chart);
    return {
      namespace,
      namespaces: [{ name: namespace, labels: podSecurity(environment) }],
      delivery: {
        kind: "chart",
        base: "dgraph",
        release: {
          name: release,
          chart: "dgraph",
          repository: dgraphRepository,
          clusterScoped: false,
          version,
          values: dgraphValues(context),
        },
      },
      patches: dgraphPatches(context),
      pods: dgraphPods(environment),
      checks: dgraphChecks(environment),
      accessTarget: dgraphAccess(environment),
      images: dgraphImages(dgraphChart(chart)),
      service: `Dgraph ${version}`,
      owned: ownedDgraphValues(context),
      timeoutMinutes: 15,
    };
  },
};
