import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { schemasFolder } from "../../scripts/tools/paths.ts";
import { field, objectsIn } from "./objects.ts";
import { scratchFolder } from "./platform.ts";
import { referenceFolder, run, tool } from "./tools.ts";

/**
 * Version of a linkerd-crds chart that renders the CRDs of the Gateway API by default. Later versions of the chart
 * render these CRDs only if a value enables them.
 */
const withGatewayApi = "2025.4.4";

/**
 * Writes strict JSON schemas of custom resources, and returns their folder. The CRDs are from the reference data: the
 * CRDs of Flux, of the given chart, and of the chart `withGatewayApi`, which contains the CRD of GRPCRoute. If the
 * given chart is 1.8.0, this function does not use the chart `withGatewayApi`: chart 1.8.0 belongs to stable-2.14,
 * which does not support GRPCRoutes.
 *
 * @param linkerdCrds version of a linkerd-crds chart
 */
export function customSchemas(linkerdCrds: string): string {
  const folder = scratchFolder("schemas");
  mkdirSync(folder, { recursive: true });
  const flux = join(referenceFolder, "crds/flux");
  const charts = linkerdCrds === "1.8.0" ? [linkerdCrds] : [withGatewayApi, linkerdCrds];
  const texts = [
    ...readdirSync(flux).map((file) => readFileSync(join(flux, file), "utf8")),
    ...charts.map((version) => readFileSync(join(referenceFolder, "charts/linkerd-crds", version, "rendered.yaml"), "utf8")),
  ];
  for (const crd of texts.flatMap(objectsIn).filter(({ kind }) => kind === "CustomResourceDefinition")) writeSchemas(folder, crd);
  return folder;
}

function writeSchemas(folder: string, crd: KubernetesObject): void {
  const group = String(field(crd, "spec", "group"));
  const kind = String(field(crd, "spec", "names", "kind")).toLowerCase();
  for (const version of field(crd, "spec", "versions") as {
    name: string;
    served: boolean;
    schema: { openAPIV3Schema: object };
  }[]) {
    if (!version.served) continue;
    const schema = { ...(strict(version.schema.openAPIV3Schema) as object) } as Record<string, unknown>;
    // The API server accepts these fields in every object, even if the CRD does not define them.
    const common = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { type: "object" } };
    Object.assign(schema["properties"] as Record<string, unknown>, common);
    writeFileSync(join(folder, `${kind}-${group}-${version.name}.json`), JSON.stringify(schema));
  }
}

/**
 * Returns a schema that rejects unknown fields, unless the CRD preserves unknown fields. The strict field validation of
 * the API server has the same rule.
 */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== "object" || node === null) return node;
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)])) as Record<string, unknown>;
  if (out["x-kubernetes-int-or-string"] === true) delete out["type"];
  const closed = "properties" in out && typeof out["properties"] === "object" && !("additionalProperties" in out);
  if (closed && out["x-kubernetes-preserve-unknown-fields"] !== true) out["additionalProperties"] = false;
  return out;
}

interface Summary {
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
  readonly skipped: number;
}

/** Returns kubeconform's arguments for strict validation with the schemas of Kubernetes 1.34 and the custom schemas. */
function strictly(customFolder: string): string[] {
  const locations = [
    `${schemasFolder}/{{.ResourceKind}}{{.KindSuffix}}.json`,
    `${customFolder}/{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json`,
  ];
  return ["-strict", "-output", "json", ...locations.flatMap((location) => ["-schema-location", location])];
}

/**
 * Runs kubeconform with strict validation. Uses the schemas of Kubernetes 1.34 and the custom schemas. Returns
 * kubeconform's summary.
 *
 * @param customFolder folder from `customSchemas`
 */
export async function kubeconform(yaml: string, customFolder: string): Promise<Summary> {
  const output = await run(tool("kubeconform"), [...strictly(customFolder), "-summary", "-"], { input: yaml });
  return (JSON.parse(output) as { summary: Summary }).summary;
}

/** kubeconform's result for one of several files. */
export interface Judged {
  /** Number of valid objects. */
  readonly valid: number;
  /** One line per object that is not valid. */
  readonly problems: readonly string[];
}

/**
 * Validates several files in one run of kubeconform. A single run compiles each schema only once, and the compilation
 * takes longer than the validation.
 *
 * @param files texts, keyed by file name without `.yaml`
 */
export async function kubeconformFiles(
  files: Readonly<Record<string, string>>,
  customFolder: string,
): Promise<Map<string, Judged>> {
  const folder = scratchFolder("kubeconform");
  const names = Object.keys(files);
  for (const name of names) writeFileSync(join(folder, `${name}.yaml`), files[name] ?? "");
  // If an object is invalid, kubeconform exits with code 1. The shell command treats this code as success.
  const args = [...strictly(customFolder), "-verbose", ...names.map((name) => join(folder, `${name}.yaml`))];
  const output = await run("sh", ["-c", '"$0" "$@" || [ $? = 1 ]', tool("kubeconform"), ...args]);
  const { resources } = JSON.parse(output) as {
    resources: { filename: string; kind: string; name: string; status: string; msg: string }[];
  };
  return new Map(
    names.map((name) => {
      const own = resources.filter(({ filename }) => filename === join(folder, `${name}.yaml`));
      const [valid, others] = [own.filter(isValid), own.filter((resource) => !isValid(resource))];
      return [
        name,
        { valid: valid.length, problems: others.map((each) => `${each.kind} ${each.name}: ${each.status} ${each.msg}`) },
      ];
    }),
  );
}

function isValid({ status }: { readonly status: string }): boolean {
  return status === "statusValid";
}
