import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { dgraphCharts } from "../../../generator/catalog/dgraph.ts";
import { linkerdReleases } from "../../../generator/catalog/linkerd.ts";
import { realCharts } from "../../support/charts.ts";
import { scratchFolder, writeTree } from "../../support/platform.ts";
import { referenceFolder, run, tool } from "../../support/tools.ts";
import type { ApiObject } from "./api.ts";

/** A field of a rendered object. A Go template replaces the value of the field. */
interface Hole {
  readonly object: (object: ApiObject) => boolean;
  readonly path: readonly string[];
  /**
   * Returns the text of the Go template. The output of the template is the value of the field. If the value has several
   * lines, the template uses `nindent`.
   *
   * @param depth number of keys in `path`; determines the indentation
   */
  readonly template: (depth: number) => string;
}

/**
 * Returns a folder of packaged charts that can be installed on a real API server. If the variable MESHOPS_CHARTS is
 * set, returns the folder of the real charts. Otherwise, creates charts from the rendered upstream charts in the
 * reference data. In these charts, only the fields in `holes` depend on values. The reference data does not contain
 * Grafana's chart, so an environment with Grafana needs the real charts.
 */
export async function clusterCharts(): Promise<string> {
  if (realCharts !== null) return realCharts;
  const [source, packed] = [scratchFolder("rendered"), scratchFolder("charts")];
  const versions = [
    ...linkerdReleases.flatMap(({ charts }) => Object.entries(charts)),
    ...dgraphCharts.map(({ version }) => ["dgraph", version] as const),
  ];
  for (const [chart, version] of versions) {
    const folder = join(source, `${chart}-${version}`, chart);
    mkdirSync(join(folder, "templates"), { recursive: true });
    const render = readFileSync(join(referenceFolder, "charts", chart, version, "rendered.yaml"), "utf8");
    writeTree(folder, {
      "Chart.yaml": stringify({ apiVersion: "v2", name: chart, version }),
      "values.yaml": "{}\n",
      "templates/all.yaml": templateOf(render),
    });
    await run(tool("helm"), ["package", folder, "--destination", packed]);
  }
  await run(tool("helm"), ["repo", "index", packed]);
  return packed;
}

const workload = ({ kind }: ApiObject): boolean => ["Deployment", "StatefulSet"].includes(kind);
const named =
  (kind: string, ...names: string[]) =>
  (object: ApiObject): boolean =>
    object.kind === kind && names.includes(object.metadata.name);
const annotations = ["spec", "template", "metadata", "annotations"];
const map =
  (value: string) =>
  (depth: number): string =>
    `{{- with ${value} }}{{ toYaml . | nindent ${depth * 2} }}{{ else }} {}{{ end }}`;

const holes: readonly Hole[] = [
  ...(["alpha", "zero"] as const).flatMap((part): Hole[] => [
    {
      object: named("StatefulSet", `demo-dgraph-${part}`),
      path: ["spec", "replicas"],
      template: () => `{{ .Values.${part}.replicaCount }}`,
    },
    { object: named("StatefulSet", `demo-dgraph-${part}`), path: annotations, template: map(`.Values.${part}.extraAnnotations`) },
    {
      object: named("StatefulSet", `demo-dgraph-${part}`),
      path: ["spec", "volumeClaimTemplates", "0", "spec", "resources", "requests", "storage"],
      template: () => `{{ .Values.${part}.persistence.size }}`,
    },
  ]),
  {
    object: named("ConfigMap", "linkerd-identity-trust-roots"),
    path: ["data", "ca-bundle.crt"],
    template: () => "{{ .Values.identityTrustAnchorsPEM | quote }}",
  },
  {
    object: (object) => workload(object) && object.metadata.namespace === "linkerd",
    path: annotations,
    // As in the upstream chart, an annotation of the pods contains a hash of the trust anchors. Therefore a change of
    // the trust anchors restarts the pods of the control plane.
    template: (depth) =>
      `{{- with .Values.podAnnotations }}{{ toYaml . | nindent ${depth * 2} }}{{ end }}\n${"  ".repeat(depth)}linkerd.io/trust-root-sha256: {{ .Values.identityTrustAnchorsPEM | sha256sum }}`,
  },
  {
    object: (object) => workload(object) && /^linkerd-/.test(object.metadata.namespace ?? ""),
    path: annotations,
    template: map(".Values.podAnnotations"),
  },
  ...Object.entries({
    "linkerd-proxy-injector-webhook-config": "proxyInjector",
    "linkerd-sp-validator-webhook-config": "profileValidator",
    "linkerd-policy-validator-webhook-config": "policyValidator",
    "linkerd-tap-injector-webhook-config": "tapInjector",
    "linkerd-jaeger-injector-webhook-config": "webhook",
  }).flatMap(([name, value]) => caBundle(value, ({ metadata }) => metadata.name === name, ["webhooks", "0", "clientConfig"])),
  ...caBundle("tap", named("APIService", "v1alpha1.tap.linkerd.io"), ["spec"]),
];

/**
 * Returns the templates for the CA of a webhook. One template sets `caBundle`. If the value `injectCaFrom` is set, the
 * other template sets the annotation for cert-manager's CA injector, and `caBundle` is an empty text. The upstream
 * charts leave out the field `caBundle` if `injectCaFrom` is set (linkerd-control-plane,
 * templates/proxy-injector-rbac.yaml).
 */
function caBundle(value: string, object: Hole["object"], path: readonly string[]): Hole[] {
  return [
    {
      object,
      path: ["metadata", "annotations"],
      template: () =>
        `{{- with (.Values.${value} | default dict).injectCaFrom }} {cert-manager.io/inject-ca-from: {{ . }}}{{ else }} {}{{ end }}`,
    },
    {
      object,
      path: [...path, "caBundle"],
      template: () => `{{ (.Values.${value} | default dict).caBundle | default "" | b64enc | quote }}`,
    },
  ];
}

/** Converts a rendered chart to a template. Escapes braces in the text, and inserts the templates of `holes`. */
function templateOf(render: string): string {
  const documents = parseAllDocuments(render).flatMap((document) => {
    const object = document.toJS() as ApiObject | null;
    if (object === null || object.metadata.annotations?.["helm.sh/hook"] !== undefined) return [];
    // Omits the Secrets with certificates, because the component `identity` already contains these Secrets.
    if (object.kind === "Secret" && object["type"] !== "Opaque") return [];
    const templates: string[] = [];
    for (const { object: matches, path, template } of holes)
      if (matches(object)) setAt(object, path, `@@${templates.push(template(path.length)) - 1}@@`);
    const text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }).replaceAll("{{", '{{ "{{" }}');
    return [text.replaceAll(/ ?["']?@@(\d+)@@["']?/g, (_, index: string) => ` ${templates[Number(index)]}`)];
  });
  return documents.join("---\n");
}

function setAt(object: ApiObject, path: readonly string[], value: string): void {
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind
  let at: any = object;
  for (const key of path.slice(0, -1)) at = at[key] ??= {};
  at[path.at(-1) ?? ""] = value;
}
