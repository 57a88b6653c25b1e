import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { type ChartServer, packFixtures, realCharts, serveCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { byId, field, pick } from "../support/objects.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { fluxRoad, helmfileRoad } from "../support/roads.ts";
import { clientImage, loadFiles, specText } from "../support/specs.ts";

const pods = {
  resources: { requests: { cpu: "250m", memory: "1Gi" }, limits: { memory: "2Gi" } },
  nodeSelector: { agentpool: "system" },
  tolerations: [{ key: "system", operator: "Exists" }],
  topologySpread: [{ topologyKey: "topology.kubernetes.io/zone" }],
  priorityClassName: "system-cluster-critical",
  podDisruptionBudget: { maxUnavailable: 1 },
};
const spread = { topologyKey: "topology.kubernetes.io/zone", maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" };

/**
 * Removes the key `configReaders: null` from the copy of the chart's values in the ConfigMap linkerd-config. Returns
 * other objects unchanged. If a Helm release has patches, helmfile renders the chart with chartify. chartify removes
 * keys whose value is null.
 */
function withoutNull(object: KubernetesObject): KubernetesObject {
  if (object.metadata.name !== "linkerd-config") return object;
  const { data, ...rest } = object as KubernetesObject & { data: Record<string, string> };
  return {
    ...rest,
    data: { ...data, values: (data["values"] ?? "").replace(/^configReaders: null\n/m, "") },
  } as KubernetesObject;
}

/*
 * Tests the fields of the spec for settings of pods, with the real helm, kustomize and helmfile. Uses the real charts
 * if the variable MESHOPS_CHARTS is set, and small fixture charts otherwise.
 */
withTools(
  ["helm", "helmfile", "kustomize", "sops"],
  `Settings of pods (${realCharts === null ? "fixture" : "real"} charts)`,
  () => {
    let charts: ChartServer;
    let root: string;
    const specs = {
      typed: specText(
        {
          pydgraphClient: { image: clientImage },
          linkerd: { controlPlane: { replicas: 2, ...pods }, imagePullSecrets: ["registry"] },
          dgraph: {
            imagePullSecrets: ["registry"],
            alpha: { ...pods, antiAffinity: "hard" },
            zero: { tolerations: pods.tolerations },
          },
        },
        "typed",
      ),
      available: specText({ pydgraphClient: { image: clientImage }, dgraph: { highAvailability: true } }, "available"),
      old: specText(
        {
          pydgraphClient: { image: clientImage },
          linkerd: { version: "stable-2.14.10" },
          dgraph: { chart: "0.0.17", highAvailability: true },
        },
        "old",
      ),
    };

    beforeAll(async () => {
      root = makePlatform(specs);
      expect(await generateIn(root)).toBe(0);
      charts = await serveCharts(realCharts ?? (await packFixtures()));
    });
    afterAll(() => charts.close());

    async function objectsOf(environment: string, component: string, release: string): Promise<KubernetesObject[]> {
      const flux = (await fluxRoad(root, environment, charts, [component])).get(component) ?? [];
      const helmfile = await helmfileRoad(root, environment, charts, [`name=${release}`]);
      expect(byId(helmfile.map(withoutNull))).toEqual(byId(flux.map(withoutNull)));
      return flux;
    }
    const podOf = (objects: readonly KubernetesObject[], kind: string, name: string): unknown =>
      field(pick(objects, kind, name), "spec", "template", "spec");

    test("have no findings", () => {
      expect(loadFiles({ typed: specs.typed }, "typed").diagnostics).toEqual([]);
    });

    test("have an effect on the pods of Dgraph, on both engines", async () => {
      const dgraph = await objectsOf("typed", "dgraph", "demo");
      const alpha = podOf(dgraph, "StatefulSet", "demo-dgraph-alpha");
      const selector = { matchLabels: { app: "dgraph", release: "demo", component: "alpha" } };
      expect(field(alpha, "topologySpreadConstraints")).toEqual([{ ...spread, labelSelector: selector }]);
      expect(field(alpha, "priorityClassName")).toBe("system-cluster-critical");
      expect(field(podOf(dgraph, "StatefulSet", "demo-dgraph-zero"), "topologySpreadConstraints")).toBeUndefined();
      if (realCharts !== null) {
        expect(alpha).toMatchObject({
          nodeSelector: pods.nodeSelector,
          tolerations: pods.tolerations,
          imagePullSecrets: [{ name: "registry" }],
          containers: [{ resources: pods.resources }],
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [expect.anything()] } },
        });
      }
      const budgets = await objectsOf("typed", "dgraph-availability", "dgraph-availability");
      expect(budgets.map(({ kind, metadata, spec }) => [kind, metadata.name, spec])).toEqual([
        ["PodDisruptionBudget", "demo-dgraph-alpha", { maxUnavailable: 1, selector }],
      ]);
    });

    test("have an effect on the pods of the control plane, on both engines (only with the real charts)", async () => {
      if (realCharts === null) return;
      const plane = await objectsOf("typed", "linkerd-control-plane", "linkerd-control-plane");
      for (const component of ["destination", "identity", "proxy-injector"]) {
        expect(field(pick(plane, "Deployment", `linkerd-${component}`), "spec", "replicas")).toBe(2);
        expect(podOf(plane, "Deployment", `linkerd-${component}`)).toMatchObject({
          nodeSelector: pods.nodeSelector,
          tolerations: pods.tolerations,
          priorityClassName: "system-cluster-critical",
          topologySpreadConstraints: [
            { ...spread, labelSelector: { matchLabels: { "linkerd.io/control-plane-component": component } } },
          ],
        });
      }
      expect(
        plane
          .filter(({ kind }) => kind === "PodDisruptionBudget")
          .map(({ metadata }) => metadata.name)
          .sort(),
      ).toEqual(["linkerd-dst", "linkerd-identity", "linkerd-proxy-injector"]);
      const containers = field(podOf(plane, "Deployment", "linkerd-identity"), "containers") as {
        name: string;
        resources?: unknown;
      }[];
      expect(containers.find(({ name }) => name === "identity")?.resources).toEqual(pods.resources);
    });

    test.each(["available", "old"])(
      "%s: dgraph.highAvailability spreads the pods over zones and nodes, and never makes a pod unschedulable",
      async (name) => {
        const dgraph = await objectsOf(name, "dgraph", "demo");
        for (const role of ["alpha", "zero"]) {
          const constraints = field(podOf(dgraph, "StatefulSet", `demo-dgraph-${role}`), "topologySpreadConstraints") as object[];
          expect(
            constraints.map((constraint) => [field(constraint, "topologyKey"), field(constraint, "whenUnsatisfiable")]),
          ).toEqual([
            ["topology.kubernetes.io/zone", "ScheduleAnyway"],
            ["kubernetes.io/hostname", "ScheduleAnyway"],
          ]);
        }
        const budgets = await objectsOf(name, "dgraph-availability", "dgraph-availability");
        expect(budgets.map(({ metadata }) => metadata.name)).toEqual(["demo-dgraph-alpha", "demo-dgraph-zero"]);
      },
    );
  },
);
