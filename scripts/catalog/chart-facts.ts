import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { ChartFacts, ValueKeys } from "../../generator/catalog/chart-facts.ts";
import { at, listAt } from "../../generator/kubernetes/object-fields.ts";
import { type Manifest, parseManifests } from "../../generator/kubernetes/read.ts";
import { containersOf, workloadOf } from "../../generator/kubernetes/workload.ts";
import { asMap, isMap } from "../../generator/system/data.ts";
import { mergeDeep } from "../../generator/system/merge.ts";
import { helm, unpack } from "./helm.ts";

/**
 * Name of the release for which helm renders the charts. In the names of objects, this name is replaced by `{release}`.
 */
const releaseName = "meshops-release";
const namespace = "meshops-namespace";

type Values = Readonly<Record<string, unknown>>;

/** Required values, by the name of the chart. Without these values, helm cannot render the chart. */
const needed: Readonly<Record<string, Values>> = {
  "linkerd-control-plane": { identityTrustAnchorsPEM: "any", identity: { issuer: { scheme: "kubernetes.io/tls" } } },
};

/** A chart: its facts and its default values. */
export interface DerivedChart {
  readonly facts: ChartFacts;
  readonly values: Values;
}

/**
 * Derives the facts about a chart.
 *
 * @param source a packed chart (`.tgz`) or its folder
 * @throws Error if helm cannot render the chart
 */
export function deriveChart(source: string): DerivedChart {
  const work = mkdtempSync(join(tmpdir(), "chart-facts-"));
  try {
    return derive(statSync(source).isDirectory() ? source : unpack(source, work), work);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function derive(folder: string, work: string): DerivedChart {
  const chart = readYaml(join(folder, "Chart.yaml"));
  const name = String(chart["name"]);
  const files = readdirSync(folder).filter((file) => /^values.*\.ya?ml$/.test(file));
  const all = files.map((file) => [file, readYaml(join(folder, file))] as const);
  const values = all.find(([file]) => file === "values.yaml")?.[1] ?? {};
  const always = needed[name] ?? {};
  const render = (own: Values): readonly Manifest[] => {
    const file = join(work, "own.json");
    writeFileSync(file, JSON.stringify(mergeDeep(always, own)));
    return parseManifests(file, helm(["template", releaseName, folder, "--namespace", namespace, "--values", file])).objects;
  };
  const byDefault = render({});
  const variants = [
    ...all.filter(([file]) => file !== "values.yaml").map(([, own]) => own),
    ...flipped(values).filter((own) => !isMap(overlap(always, own))),
  ].flatMap((own) => attempt(() => render(own)));
  const objects = namesOf(byDefault);
  const every = [...byDefault, ...variants.flat()];
  const crds = byDefault.filter(({ kind }) => kind === "CustomResourceDefinition");
  const merged = all.map(([, own]) => own).reduce<Values>((below, own) => mergeDeep(below, own), {});
  const templates = templatesIn(folder);
  const facts: ChartFacts = {
    chart: name,
    version: String(chart["version"]),
    appVersion: String(chart["appVersion"]),
    kubeVersion: typeof chart["kubeVersion"] === "string" ? chart["kubeVersion"] : null,
    objects,
    optional: without(namesOf(variants.flat()), objects),
    hooks: namesOf(every.filter(({ value }) => at(value, "metadata", "annotations", "helm.sh/hook") !== undefined)),
    images: unique(byDefault.flatMap((object) => containers(object).map(({ image }) => String(image)))),
    ports: Object.fromEntries(byDefault.flatMap(portsOf).sort(byKey)),
    crds: Object.fromEntries(crds.map((crd): [string, string[]] => [crd.name, servedVersions(crd)]).sort(byKey)),
    rendersNamespace: byDefault.some((object) => object.namespace === namespace),
    values: keysOf(merged, templates),
    unread: unreadIn(merged, templates),
  };
  return { facts, values };
}

function readYaml(path: string): Values {
  return asMap(parse(readFileSync(path, "utf8"), { merge: true }));
}

/**
 * Returns one map of values for each Boolean in `values`. Each map contains only one Boolean, with the opposite of the
 * Boolean's value in `values`.
 */
function flipped(values: Values): Values[] {
  return Object.entries(values).flatMap(([key, value]): Values[] => {
    if (typeof value === "boolean") return [{ [key]: !value }];
    return isMap(value) ? flipped(value as Values).map((own) => ({ [key]: own })) : [];
  });
}

/**
 * `own` contains a single value. Returns an empty map if `always` also contains a value at the path of this value.
 * Otherwise, returns null.
 */
function overlap(always: Values, own: Values): unknown {
  const [[key, value] = ["", null]] = Object.entries(own);
  const there = always[key];
  return isMap(there) && isMap(value) ? overlap(there as Values, value as Values) : there === undefined ? null : {};
}

/** Returns a list with the result of the action. Returns an empty list if the action throws an error. */
function attempt<T>(action: () => T): T[] {
  try {
    return [action()];
  } catch {
    return [];
  }
}

function namesOf(objects: readonly Manifest[]): Record<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { apiVersion, kind, name, namespace: of } of objects) {
    const own = of === "" || of === namespace ? "" : `${of}/`;
    const type = `${apiVersion} ${kind}`;
    names.set(type, [...(names.get(type) ?? []), `${own}${name}`.replaceAll(releaseName, "{release}")]);
  }
  return Object.fromEntries([...names].map(([type, each]): [string, string[]] => [type, unique(each)]).sort(byKey));
}

function without(names: Record<string, string[]>, others: Record<string, string[]>): Record<string, string[]> {
  const rest = Object.entries(names).map(([type, each]): [string, string[]] => [
    type,
    each.filter((name) => !(others[type] ?? []).includes(name)),
  ]);
  return Object.fromEntries(rest.filter(([, each]) => each.length > 0));
}

function containers(object: Manifest): Record<string, unknown>[] {
  const workload = workloadOf(object);
  return workload === null ? [] : containersOf(workload).map(({ container }) => container);
}

function portsOf(object: Manifest): [string, number[]][] {
  return containers(object).flatMap((container): [string, number[]][] => {
    const ports = listAt<{ readonly containerPort: number }>(container, "ports").map(({ containerPort }) => containerPort);
    const id = `${object.kind}/${object.name}/${String(container["name"])}`.replaceAll(releaseName, "{release}");
    return ports.length === 0 ? [] : [[id, ports]];
  });
}

function servedVersions({ value }: Manifest): string[] {
  return listAt<{ readonly name: string; readonly served: boolean }>(value, "spec", "versions")
    .filter(({ served }) => served)
    .map(({ name }) => name);
}

/** Returns the texts of all templates of a chart and of its subcharts, joined to one text. */
function templatesIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((path) => /(^|\/)templates\/.*\.(ya?ml|tpl|txt|json)$/.test(path))
    .map((path) => readFileSync(join(folder, path), "utf8"))
    .join("\n");
}

/**
 * Returns the keys of the values, as nested maps. Also includes keys that the templates read but that `values` does not
 * contain. Null in place of a nested map means one of three things: the value is not a map, the map is empty, or the
 * map may have any keys (see `isOpen`).
 */
function keysOf(values: Values, templates: string, above: readonly string[] = []): ValueKeys {
  const read = new Set(
    [...templates.matchAll(/\.Values((?:\.\w+)+)/g)].flatMap(([, path = ""]) => {
      const steps = path.slice(1).split(".");
      return above.every((step, index) => steps[index] === step) ? (steps[above.length] ?? []) : [];
    }),
  );
  const keys = [...new Set([...Object.keys(values), ...read])].sort();
  return Object.fromEntries(
    keys.map((key): [string, ValueKeys | null] => {
      const value = values[key];
      const path = [...above, key];
      const isClosed = isMap(value) && Object.keys(value).length > 0 && !isOpen(path, value, templates);
      return [key, isClosed ? keysOf(value as Values, templates, path) : null];
    }),
  );
}

/**
 * Returns the dotted paths of values that no template reads. A template reads a value if the template contains one of
 * three paths: the path of the value itself, the path of a value inside this value, or the path of a map that contains
 * this value.
 */
function unreadIn(values: Values, templates: string): string[] {
  const read = [...templates.matchAll(/\.Values((?:\.\w+)+)/g)].map(([, path = ""]) => path.slice(1).split("."));
  const visit = (map: Values, above: readonly string[]): string[] =>
    Object.entries(map).flatMap(([key, value]) => {
      const path = [...above, key];
      const related = read.filter((steps) => path.every((step, index) => index >= steps.length || steps[index] === step));
      if (related.length === 0) return [path.join(".")];
      return isMap(value) && related.every((steps) => steps.length > path.length) ? visit(value, path) : [];
    });
  return visit(values, []).sort();
}

/**
 * Matches the names of values whose type Kubernetes defines, by the end of the name. Templates copy the whole map to an
 * object.
 */
const kubernetesTypes = /(securitycontext|probe|affinity|selector|annotations|labels|strategy|limits|requests|tolerations)$/i;

/**
 * Whether users may add any keys to a map of the values. This is the case if the keys look like names of labels, or if
 * the templates copy the whole map to an object.
 */
function isOpen(path: readonly string[], value: object, templates: string): boolean {
  if (kubernetesTypes.test(path.at(-1) ?? "") || Object.keys(value).some((key) => /[./]/.test(key))) return true;
  const name = `\\.Values\\.${path.join("\\.")}`;
  return new RegExp(`(toYaml|toJson|range|tpl)[^}\\n]*${name}(?![.\\w])|with ${name}\\s*-?}}[^{]*{{-? *toYaml \\.`).test(
    templates,
  );
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** A chart that `chartsIn` found. */
export interface FoundChart {
  readonly name: string;
  readonly version: string;
  readonly appVersion: string;
  readonly path: string;
}

/** Returns all charts directly in a folder. A chart is a packed chart (`.tgz`) or a folder with a Chart.yaml. */
export function chartsIn(folder: string): FoundChart[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(".tgz") || existsSync(join(path, "Chart.yaml")))
    .map((path) => {
      const { name, version, appVersion } = asMap(parse(helm(["show", "chart", path])));
      return { name: String(name), version: String(version), appVersion: String(appVersion), path };
    });
}
