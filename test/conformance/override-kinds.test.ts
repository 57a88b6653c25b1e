import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { type ChartServer, packFixtures, realCharts, serveCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { byId, field, pick } from "../support/objects.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { fluxRoad, helmfileRoad } from "../support/roads.ts";
import { clientImage, loadFiles, specText } from "../support/specs.ts";

interface Kind {
  readonly component: string;
  readonly values: object;
  /** Codes of all findings that `validate` must report about a spec with these values. Default: no findings. */
  readonly findings?: readonly string[];
  /** Checks the effect of the values on the objects that the real chart renders. */
  readonly check: (objects: readonly KubernetesObject[]) => void;
}

const container = (object: KubernetesObject, name: string): unknown =>
  (field(object, "spec", "template", "spec", "containers") as { name: string }[]).find((each) => each.name === name);

/** Kinds of chart values that fifteen public platform repositories with Linkerd set, each with an example. */
const kinds: Readonly<Record<string, Kind>> = {
  resources: {
    component: "linkerd-control-plane",
    values: { destinationResources: { cpu: { request: "50m" }, memory: { request: "64Mi", limit: "300Mi" } } },
    check: (objects) =>
      expect(field(container(pick(objects, "Deployment", "linkerd-destination"), "destination"), "resources")).toEqual({
        limits: { memory: "300Mi" },
        requests: { cpu: "50m", memory: "64Mi" },
      }),
  },
  replicas: {
    component: "linkerd-control-plane",
    values: { controllerReplicas: 2 },
    check: (objects) => expect(field(pick(objects, "Deployment", "linkerd-destination"), "spec", "replicas")).toBe(2),
  },
  "defaults of proxies": {
    component: "linkerd-control-plane",
    values: { proxy: { logLevel: "warn", waitBeforeExitSeconds: 10, defaultInboundPolicy: "all-authenticated" } },
    check: (objects) => {
      const config = parse(String(field(pick(objects, "ConfigMap", "linkerd-config"), "data", "values"))) as unknown;
      expect(field(config, "proxy", "logLevel")).toBe("warn");
      expect(field(config, "proxy", "defaultInboundPolicy")).toBe("all-authenticated");
    },
  },
  "external Prometheus of viz": {
    component: "linkerd-viz",
    values: { prometheus: { enabled: false }, prometheusUrl: "http://prometheus.monitoring:9090" },
    check: (objects) => {
      expect(objects.filter(({ kind, metadata }) => kind === "Deployment" && metadata.name === "prometheus")).toEqual([]);
      expect(JSON.stringify(pick(objects, "Deployment", "metrics-api"))).toContain(
        "-prometheus-url=http://prometheus.monitoring:9090",
      );
    },
  },
  "settings of webhooks": {
    component: "linkerd-control-plane",
    values: { proxyInjector: { timeoutSeconds: 5 } },
    check: (objects) =>
      expect(
        field(
          pick(objects, "MutatingWebhookConfiguration", "linkerd-proxy-injector-webhook-config"),
          "webhooks",
          0,
          "timeoutSeconds",
        ),
      ).toBe(5),
  },
  tolerations: {
    component: "linkerd-viz",
    values: { tolerations: [{ key: "system", operator: "Exists" }], nodeSelector: { agentpool: "system" } },
    check: (objects) => {
      const pod = field(pick(objects, "Deployment", "web"), "spec", "template", "spec");
      expect(field(pod, "tolerations")).toEqual([{ key: "system", operator: "Exists" }]);
      expect(field(pod, "nodeSelector", "agentpool")).toBe("system");
    },
  },
  "extra environment of proxies": {
    component: "linkerd-control-plane",
    values: { proxy: { additionalEnv: [{ name: "LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD", value: "5m" }] } },
    check: (objects) =>
      expect(JSON.stringify(field(pick(objects, "Deployment", "linkerd-destination"), "spec", "template", "spec"))).toContain(
        '{"name":"LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD","value":"5m"}',
      ),
  },
};

/*
 * Tests each kind of value in `spec.components` with the real helm, kustomize and helmfile. Uses the real charts if the
 * variable MESHOPS_CHARTS is set, and small fixture charts otherwise.
 */
withTools(
  ["helm", "helmfile", "kustomize", "sops"],
  `Kinds of overrides (${realCharts === null ? "fixture" : "real"} charts)`,
  () => {
    let charts: ChartServer;
    let root: string;
    const nameOf = (kind: string): string => kind.toLowerCase().replaceAll(" ", "-");
    const specOf = (kind: string): string => {
      const { component, values } = kinds[kind] as Kind;
      return specText({ pydgraphClient: { image: clientImage }, components: { [component]: { values } } }, nameOf(kind));
    };

    beforeAll(async () => {
      root = makePlatform({
        ...Object.fromEntries(Object.keys(kinds).map((kind) => [nameOf(kind), specOf(kind)])),
        source: specText(
          {
            pydgraphClient: { image: clientImage },
            components: { "linkerd-viz": { valuesFrom: [{ configMapRef: { name: "mesh" } }] } },
          },
          "source",
        ),
      });
      expect(await generateIn(root)).toBe(0);
      charts = await serveCharts(realCharts ?? (await packFixtures()));
    });
    afterAll(() => charts.close());

    test.each(Object.entries(kinds))("%s", async (kind, { component, values, findings = [], check }) => {
      const name = nameOf(kind);
      expect(loadFiles({ [name]: specOf(kind) }, name).diagnostics.map(({ code }) => code)).toEqual(findings);
      const flux = (await fluxRoad(root, name, charts, [component])).get(component) ?? [];
      const helmfile = await helmfileRoad(root, name, charts, [`name=${component}`]);
      expect(byId(helmfile)).toEqual(byId(flux));
      if (realCharts !== null) check(flux);
      else {
        const seen = parse(String(field(pick(flux, "ConfigMap", `${component}-seen-values`), "data", "values"))) as object;
        expect(seen).toMatchObject(values);
      }
    });

    test("values from a ConfigMap", async () => {
      const data = { "values.yaml": stringify({ prometheusUrl: "http://prometheus.monitoring:9090" }) };
      const map: KubernetesObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mesh" }, data };
      const flux = (await fluxRoad(root, "source", charts, ["linkerd-viz"], [map])).get("linkerd-viz") ?? [];
      expect(JSON.stringify(flux)).toContain("http://prometheus.monitoring:9090");
    });
  },
);
