import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import type { ChartServer } from "./charts.ts";
import { field, objectsIn, pick } from "./objects.ts";
import { scratchFolder, writeTree } from "./platform.ts";
import { run, tool } from "./tools.ts";

/** Returns the output of `kustomize build` for a folder. */
export async function kustomizeBuild(folder: string): Promise<string> {
  return run(tool("kustomize"), ["build", folder]);
}

/**
 * Label that shows from which overlay an object comes. `buildOverlays` adds this label while it builds several overlays
 * together. After the build, it removes the label from every object.
 */
const overlayLabel = "test.meshops.dev/overlay";

/**
 * Returns the objects of several overlays of an environment, keyed by component. The real kustomize runs only once for
 * all overlays. To make this possible, a temporary kustomization for each overlay adds a label to the objects of the
 * overlay. One more kustomization lists all temporary kustomizations. kustomize fails if two overlays contain objects
 * with the same ID.
 */
export async function buildOverlays(
  root: string,
  environment: string,
  components: readonly string[] = overlaysOf(root, environment),
): Promise<Map<string, KubernetesObject[]>> {
  const work = scratchFolder("overlays");
  const folders = components.map((_, index) => `overlay-${index}`);
  writeTree(work, { "kustomization.yaml": stringify({ resources: folders }) });
  for (const [index, component] of components.entries()) {
    const folder = folders[index] ?? "";
    const kustomization = {
      resources: [relative(join(work, folder), join(root, "overlays", environment, component))],
      labels: [{ pairs: { [overlayLabel]: folder } }],
    };
    writeTree(work, { [`${folder}/kustomization.yaml`]: stringify(kustomization) });
  }
  const built = objectsIn(await kustomizeBuild(work)).map((object) => ({ object, folder: takeOverlayLabel(object) }));
  return new Map(
    components.map((component, index) => [
      component,
      built.filter(({ folder }) => folder === folders[index]).map(({ object }) => object),
    ]),
  );
}

/**
 * Removes the label `overlayLabel` from an object. Returns the value of the label, or undefined if the object does not
 * have the label.
 */
function takeOverlayLabel({ metadata }: KubernetesObject): string | undefined {
  const { [overlayLabel]: overlay, ...labels } = metadata.labels ?? {};
  Object.assign(metadata, { labels });
  if (Object.keys(labels).length === 0) Reflect.deleteProperty(metadata, "labels");
  return overlay;
}

/**
 * Returns the IDs of an environment's overlays, sorted. An overlay can contain a folder `public` with all objects of
 * the overlay except the Secrets. Such a folder is not an overlay of its own.
 */
export function overlaysOf(root: string, environment: string): string[] {
  return readdirSync(join(root, "overlays", environment), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("/kustomization.yaml") && !path.endsWith("/public/kustomization.yaml"))
    .map((path) => dirname(path))
    .sort();
}

/**
 * Returns the objects that Flux would apply for an environment, keyed by component. If the overlay of a component
 * contains no HelmRelease, these objects are the objects of the overlay. If the overlay contains a HelmRelease, these
 * objects are the objects that the HelmRelease renders. The real helm renders the chart with the values of
 * `valuesFrom`. The real kustomize then applies the `postRenderers`.
 *
 * @param components IDs of the components (default: all components)
 * @param inCluster other objects in the cluster that `valuesFrom` can refer to
 */
export async function fluxRoad(
  root: string,
  environment: string,
  charts: ChartServer,
  components: readonly string[] = overlaysOf(root, environment),
  inCluster: readonly KubernetesObject[] = [],
): Promise<Map<string, KubernetesObject[]>> {
  const out = new Map<string, KubernetesObject[]>();
  const repositories = repositoriesIn(root, environment);
  for (const [component, objects] of await buildOverlays(root, environment, components)) {
    const release = objects.find(({ kind }) => kind === "HelmRelease");
    out.set(component, release === undefined ? objects : await helmController(release, objects, charts, inCluster, repositories));
  }
  return out;
}

interface Repository {
  readonly name: string;
  readonly url: string;
}

/**
 * Returns the chart repositories in an environment's helmfile. In tests, Helm's configuration contains repositories
 * with the same names.
 */
function repositoriesIn(root: string, environment: string): readonly Repository[] {
  const documents = parseAllDocuments(readFileSync(join(root, "overlays", environment, "helmfile.yaml"), "utf8"));
  return documents.flatMap((document) => (document.toJS() as { repositories?: Repository[] }).repositories ?? []);
}

/** Renders a HelmRelease as helm-controller does, but with the programs helm and kustomize. */
async function helmController(
  release: KubernetesObject,
  objects: readonly KubernetesObject[],
  charts: ChartServer,
  inCluster: readonly KubernetesObject[],
  repositories: readonly Repository[],
): Promise<KubernetesObject[]> {
  const values = (field(release, "spec", "valuesFrom") as { kind: string; name: string; valuesKey?: string }[]).map(
    ({ kind, name, valuesKey = "values.yaml" }) =>
      field(pick([...objects, ...inCluster], kind, name), "data", valuesKey) as string,
  );
  const work = scratchFolder("release");
  writeTree(work, Object.fromEntries(values.map((text, index) => [`values-${index}.yaml`, text])));
  const { chart, version } = chartOf(release, objects, repositories);
  const rendered = await run(
    tool("helm"),
    [
      "template",
      String(field(release, "spec", "releaseName")),
      chart,
      "--version",
      version,
      "--namespace",
      release.metadata.namespace ?? "",
      "--kube-version",
      "1.34",
      ...values.flatMap((_, index) => ["--values", join(work, `values-${index}.yaml`)]),
    ],
    { env: charts.env },
  );
  const [renderer] = (field(release, "spec", "postRenderers") ?? []) as {
    kustomize: { patches?: object[]; images?: object[] };
  }[];
  if (renderer === undefined) return objectsIn(rendered);
  writeTree(work, {
    "rendered.yaml": rendered,
    "kustomization.yaml": stringify({ resources: ["rendered.yaml"], ...renderer.kustomize }),
  });
  return objectsIn(await kustomizeBuild(work));
}

/**
 * Returns the arguments of helm that specify the chart of a HelmRelease and the version of this chart. The chart is in
 * an OCI registry or in a chart repository.
 */
function chartOf(
  release: KubernetesObject,
  objects: readonly KubernetesObject[],
  repositories: readonly Repository[],
): { chart: string; version: string } {
  if (field(release, "spec", "chartRef") !== undefined) {
    const source = pick(objects, "OCIRepository", String(field(release, "spec", "chartRef", "name")));
    return { chart: String(field(source, "spec", "url")), version: String(field(source, "spec", "ref", "tag")) };
  }
  const { chart, version } = field(release, "spec", "chart", "spec") as { chart: string; version: string };
  const url = field(pick(objects, "HelmRepository", release.metadata.name), "spec", "url");
  const repository = repositories.find((each) => each.url === url);
  if (repository === undefined) throw new Error(`the helmfile has no repository ${String(url)}`);
  return { chart: `${repository.name}/${chart}`, version };
}

/**
 * Returns the objects that the real helmfile renders for an environment.
 *
 * @param selectors labels of the releases, such as `name=dgraph` (default: all releases)
 */
export async function helmfileRoad(
  root: string,
  environment: string,
  charts: ChartServer,
  selectors: readonly string[] = [],
): Promise<KubernetesObject[]> {
  const path = `${join(tool("kustomize"), "..")}:${join(tool("helm"), "..")}:${process.env["PATH"]}`;
  const env = { ...charts.env, PATH: path };
  return objectsIn(
    await run(
      tool("helmfile"),
      [
        "--environment",
        environment,
        ...selectors.flatMap((selector) => ["--selector", selector]),
        "--skip-deps",
        "--quiet",
        "template",
      ],
      { cwd: root, env },
    ),
  );
}

/**
 * Writes a script that replaces kubectl. `kubectl kustomize` runs the real kustomize, and `kubectl annotate` runs the
 * real kubectl. For every other command, such as `kubectl apply`, the script only records the arguments and the input.
 *
 * @returns `bin`: folder of the script; `log`: file with the recorded arguments and inputs
 */
export function recordingKubectl(): { readonly bin: string; readonly log: string } {
  const bin = scratchFolder("bin");
  const log = join(bin, "applied.yaml");
  const lines = [
    "#!/bin/sh",
    `if [ "$1" = kustomize ]; then exec "${tool("kustomize")}" build "$2"; fi`,
    `if [ "$1" = annotate ]; then exec "${tool("kubectl")}" "$@"; fi`,
    `echo "# kubectl $*" >> "${log}"; { cat; echo ---; } >> "${log}"`,
  ];
  writeFileSync(join(bin, "kubectl"), `${lines.join("\n")}\n`, { mode: 0o755 });
  return { bin, log };
}
