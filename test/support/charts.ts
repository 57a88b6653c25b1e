import { createReadStream, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { stringify } from "yaml";
import { grafanaChart } from "../../generator/catalog/addons.ts";
import { dgraphCharts } from "../../generator/catalog/dgraph.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { scratchFolder, writeTree } from "./platform.ts";
import { run, tool } from "./tools.ts";

/**
 * Folder of the real upstream charts (`*.tgz` and `index.yaml`), from the environment variable MESHOPS_CHARTS. Null if
 * this variable is not set.
 */
export const realCharts: string | null = process.env["MESHOPS_CHARTS"] ?? null;

/**
 * A local chart server. With the environment variables in `env`, helm and helmfile use the server instead of all
 * repositories whose names were passed to `serveCharts`.
 */
export interface ChartServer {
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  close(): void;
}

const upstream = ["linkerd", "dgraph", "grafana"];

/**
 * Serves a folder of packaged charts on a loopback address. The server replaces the chart repositories that the bundle
 * uses.
 *
 * @param repositories names of the replaced repositories in helm's configuration
 */
export async function serveCharts(folder: string, repositories: readonly string[] = upstream): Promise<ChartServer> {
  const server = createServer((request, response) => {
    const file = join(folder, basename(request.url ?? ""));
    if (existsSync(file)) createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = scratchFolder("helm");
  const env = {
    HELM_CONFIG_HOME: join(home, "config"),
    HELM_CACHE_HOME: join(home, "cache"),
    HELM_DATA_HOME: join(home, "data"),
    HELMFILE_CACHE_HOME: join(home, "helmfile"),
  };
  for (const name of repositories) await run(tool("helm"), ["repo", "add", name, url], { env });
  return { env, url, close: () => server.close() };
}

/**
 * Packages small charts with the names and versions of the upstream charts. Returns the folder of the packages. Each
 * small chart renders a ConfigMap that contains all values of this chart. If meshops patches objects of an upstream
 * chart, the small chart also renders minimal objects with the names of these objects.
 */
export async function packFixtures(): Promise<string> {
  const [source, packed] = [scratchFolder("fixtures"), scratchFolder("charts")];
  for (const { chart, version, objects } of fixtures()) {
    const folder = join(source, `${chart}-${version}`, chart);
    mkdirSync(join(folder, "templates"), { recursive: true });
    writeTree(folder, {
      "Chart.yaml": stringify({ apiVersion: "v2", name: chart, version }),
      "values.yaml": "chartDefault: {first: 1, second: 2}\n",
    });
    writeFileSync(join(folder, "templates/values.yaml"), valuesTemplate);
    writeFileSync(join(folder, "templates/objects.yaml"), objects.join("---\n"));
    await run(tool("helm"), ["package", folder, "--destination", packed]);
  }
  await run(tool("helm"), ["repo", "index", packed]);
  return packed;
}

const valuesTemplate = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-seen-values
  namespace: {{ .Release.Namespace }}
data:
  values: {{ toYaml .Values | quote }}
`;

interface Fixture {
  readonly chart: string;
  readonly version: string;
  readonly objects: readonly string[];
}

function fixtures(): Fixture[] {
  const linkerd = linkerdReleases.flatMap((track) =>
    Object.entries(track.charts).map(([chart, version]) => ({
      chart,
      version,
      objects: (extensionDeployments[chart] ?? []).map(deployment),
    })),
  );
  const dgraph = dgraphCharts.map(({ version, traits }) => ({
    chart: "dgraph",
    version,
    objects: dgraphObjects.map(([kind, name]) => object(kind, `{{ .Release.Name }}-dgraph-${name}`, traits.rendersNamespace)),
  }));
  return [...linkerd, ...dgraph, { chart: "grafana", version: grafanaChart.version, objects: [] }];
}

/** Names of the Deployments that the charts of Linkerd's extensions render, keyed by chart. */
const extensionDeployments: Readonly<Record<string, readonly string[]>> = {
  "linkerd-viz": ["metrics-api", "prometheus", "tap", "tap-injector", "web"],
  "linkerd-jaeger": ["collector", "jaeger", "jaeger-injector"],
};

const dgraphObjects = [
  ["StatefulSet", "alpha"],
  ["StatefulSet", "zero"],
  ["Service", "alpha"],
  ["Service", "alpha-headless"],
  ["Service", "zero"],
  ["Service", "zero-headless"],
] as const;

function deployment(name: string): string {
  return object("Deployment", name, true);
}

function object(kind: "Deployment" | "StatefulSet" | "Service", name: string, namespaced: boolean): string {
  const namespace = namespaced ? "  namespace: {{ .Release.Namespace }}\n" : "";
  const api = kind === "Service" ? "v1" : "apps/v1";
  const spec =
    kind === "Service"
      ? "  ports: []\n"
      : "  template:\n    metadata:\n      annotations:\n        prometheus.io/scrape: 'true'\n";
  return `apiVersion: ${api}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace}spec:\n${spec}`;
}
