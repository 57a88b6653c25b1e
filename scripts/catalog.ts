/**
 * Adds a release of Linkerd, or a version of Dgraph's or Grafana's chart, to the catalog. Derives facts from the
 * charts, and writes these facts as JSON to generator/catalog. Stores no other content of the charts.
 *
 *   npm run catalog:add -- linkerd <version> --charts <folder> [--max-kubernetes <major.minor>]
 *   npm run catalog:add -- dgraph <chart version> --charts <folder>
 *   npm run catalog:add -- grafana <chart version> --charts <folder>
 *
 * The folder contains the charts as `helm pull` downloads them. helm must be on the PATH.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nearestDgraphChart } from "../generator/catalog/dgraph.ts";
import { type LinkerdChart, linkerdReleases, nearestRelease } from "../generator/catalog/linkerd.ts";
import { charts as dgraphCharts } from "../generator/catalog/releases.generated.ts";
import { chartsIn, type DerivedChart, deriveChart, type FoundChart } from "./catalog/chart-facts.ts";
import { deriveDgraphChart } from "./catalog/dgraph-chart.ts";
import { deriveRelease } from "./catalog/linkerd-release.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const linkerdCharts: readonly LinkerdChart[] = ["linkerd-crds", "linkerd-control-plane", "linkerd-viz", "linkerd-jaeger"];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { charts: { type: "string" }, "max-kubernetes": { type: "string" }, into: { type: "string" } },
});
const [product = "", version = ""] = positionals;
const into = values.into ?? `${project}generator/catalog`;
if (!["linkerd", "dgraph", "grafana"].includes(product) || version === "" || values.charts === undefined) {
  console.error(
    "usage: npm run catalog:add -- linkerd|dgraph|grafana <version> --charts <folder> [--max-kubernetes <major.minor>]",
  );
  process.exit(2);
}
const found = chartsIn(values.charts);
if (product === "linkerd") addLinkerd(found, values["max-kubernetes"] ?? null);
else if (product === "dgraph") addDgraph(found);
else write(`charts/grafana-${version}.json`, deriveChart(chartNamed("grafana", found).path).facts);
console.error("next: npm run codegen && npm test");

function addLinkerd(available: readonly FoundChart[], maxKubernetes: string | null): void {
  const own = available.filter(
    ({ name, appVersion }) => (linkerdCharts as readonly string[]).includes(name) && appVersion === version,
  );
  const nearest = nearestRelease(version) ?? linkerdReleases.at(-1);
  if (nearest === undefined) throw new Error("the catalog has no release");
  const charts = Object.fromEntries(own.map(({ name, path }) => [name, deriveChart(path)])) as Record<LinkerdChart, DerivedChart>;
  const { release, inherited } = deriveRelease(version, charts, nearest, maxKubernetes);
  write(`linkerd/${version}.json`, release);
  for (const { facts } of Object.values(charts)) write(`charts/${facts.chart}-${facts.version}.json`, facts);
  console.error(
    `check the values of these fields; the charts do not contain these fields, so the values were copied from ${nearest.version}: ${inherited.join(", ")}`,
  );
  if (into === `${project}generator/catalog`) addExample("environment", version);
  if (into === `${project}generator/catalog`) addExample("mesh-injection", version);
}

function addDgraph(available: readonly FoundChart[]): void {
  const chart = chartNamed("dgraph", available);
  const name = nearestDgraphChart(version)?.version;
  const nearest = dgraphCharts.find((each) => each.version === name) ?? dgraphCharts.at(-1);
  if (nearest === undefined) throw new Error("the catalog has no chart");
  const derived = deriveChart(chart.path);
  write(`dgraph/${version}.json`, deriveDgraphChart(derived, nearest));
  write(`charts/dgraph-${version}.json`, derived.facts);
  console.error(
    `check the values of these fields, which the chart does not contain: api (copied from ${nearest.version}), dataFormat`,
  );
}

function chartNamed(name: string, available: readonly FoundChart[]): FoundChart {
  const chart = available.find((each) => each.name === name && each.version === version);
  if (chart === undefined) throw new Error(`${values.charts} has no chart ${name} ${version}`);
  return chart;
}

function write(name: string, value: object): void {
  const path = `${into}/${name}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  console.error(`wrote ${path}`);
}

/** Adds a Linkerd version to the examples of the version field in a schema, unless the schema contains this version. */
function addExample(schema: string, example: string): void {
  const path = `${project}schema/${schema}.schema.json`;
  const text = readFileSync(path, "utf8");
  const [first = ""] = linkerdReleases.map((release) => release.version);
  if (!text.includes(`"${example}"`))
    writeFileSync(path, text.replace(`"examples": ["${first}",`, `"examples": ["${example}", "${first}",`));
}
