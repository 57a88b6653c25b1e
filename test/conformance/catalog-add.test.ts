import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { chartFacts } from "../../generator/catalog/charts.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { realCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

/** Runs the program of `npm run catalog:add`. Returns the folder in which the program has written its files. */
async function add(product: string, version: string, charts: string): Promise<string> {
  const into = scratchFolder("catalog");
  const env = { ...process.env, PATH: `${join(tool("helm"), "..")}:${process.env["PATH"]}` };
  const script = [join(projectRoot, "node_modules/tsx/dist/cli.mjs"), join(projectRoot, "scripts/catalog.ts")];
  await run(process.execPath, [...script, product, version, "--charts", charts, "--into", into], { env });
  return into;
}

const read = (folder: string, file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));

withTools(["helm"], "catalog:add", () => {
  test("derives objects, hooks, images, ports and value keys from a chart", async () => {
    const charts = scratchFolder("charts");
    const folder = join(charts, "dgraph");
    mkdirSync(folder);
    const container = {
      name: "alpha",
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}",
      ports: [{ containerPort: 8080 }],
    };
    const set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "{{ .Release.Name }}-dgraph-alpha", namespace: "{{ .Release.Namespace }}" },
      spec: { template: { spec: { containers: [container] } } },
    };
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "prepare", annotations: { "helm.sh/hook": "pre-install" } },
      spec: { template: { spec: { containers: [{ name: "job", image: "job:1" }] } } },
    };
    const monitor = { apiVersion: "v1", kind: "Service", metadata: { name: "monitor" } };
    writeTree(folder, {
      "Chart.yaml": stringify({ apiVersion: "v2", name: "dgraph", version: "24.9.9", appVersion: "v24.9.9" }),
      "values.yaml": stringify({
        image: { repository: "docker.io/dgraph/dgraph", tag: "v24.9.9" },
        monitor: { enabled: false },
        alpha: { extraAnnotations: {}, nodeSelector: { "kubernetes.io/os": "linux" } },
        unused: 1,
      }),
      "values-large.yaml": stringify({ alpha: { replicas: 5 } }),
      "templates/all.yaml": [
        stringify(set),
        stringify(job),
        `{{- if .Values.monitor.enabled }}\n${stringify(monitor)}{{- end }}\n# {{ .Values.alpha.extraAnnotations }} {{ .Values.alpha.nodeSelector }} {{ .Values.alpha.replicas }}\n`,
      ].join("---\n"),
    });
    const into = await add("dgraph", "24.9.9", charts);
    expect(read(into, "charts/dgraph-24.9.9.json")).toEqual({
      chart: "dgraph",
      version: "24.9.9",
      appVersion: "v24.9.9",
      kubeVersion: null,
      objects: { "apps/v1 StatefulSet": ["{release}-dgraph-alpha"], "batch/v1 Job": ["prepare"] },
      optional: { "v1 Service": ["monitor"] },
      hooks: { "batch/v1 Job": ["prepare"] },
      images: ["docker.io/dgraph/dgraph:v24.9.9", "job:1"],
      ports: { "StatefulSet/{release}-dgraph-alpha/alpha": [8080] },
      crds: {},
      rendersNamespace: true,
      values: {
        alpha: { extraAnnotations: null, nodeSelector: null, replicas: null },
        image: { repository: null, tag: null },
        monitor: { enabled: null },
        unused: null,
      },
      unread: ["unused"],
    });
    expect(read(into, "dgraph/24.9.9.json")).toEqual({
      version: "24.9.9",
      appVersion: "v24.9.9",
      dataFormat: "v24",
      api: "dgraphApi21",
      traits: { podAnnotations: "value", rendersNamespace: true, serviceAccount: "default" },
    });
  });

  const withCharts = realCharts === null ? test.skip : test;
  withCharts.each(linkerdReleases.map((release) => [release.version, release] as const))(
    "derives the entry of %s from its charts",
    async (version, release) => {
      const into = await add("linkerd", version, realCharts ?? "");
      expect(read(into, `linkerd/${version}.json`)).toEqual({ ...release, maxKubernetes: release.maxKubernetes });
      for (const [chart, chartVersion] of Object.entries(release.charts))
        expect(read(into, `charts/${chart}-${chartVersion}.json`)).toEqual(chartFacts(chart, chartVersion));
    },
  );
});
