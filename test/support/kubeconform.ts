import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { schemasFolder } from "../../scripts/tools/paths.ts";
import { field, objectsIn } from "./objects.ts";
import { scratchFolder } from "./platform.ts";
import { referenceFolder, run, tool } from "./tools.ts";

/**
 * Version of a linkerd-crds chart that renders the Gateway API CRDs by default. Later charts render the same CRDs only
 * if a value requests them.
 */
const withGatewayApi = "2025.4.4";

/**
 * Writes strict JSON schemas of custom resources. Returns the folder of the schemas. The schemas are created from the
 * CRDs in the reference data: Flux's CRDs, and the CRDs of one linkerd-crds chart. The schema of GRPCRoute is created
 * from the chart that renders its CRD. For stable-2.14 (chart 1.8.0), there is no schema of GRPCRoute, because this
 * release does not support GRPCRoutes.
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
 * Applies the strict field validation of the API server: unknown fields are errors, unless the schema preserves them.
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

/** Returns arguments for strict validation against Kubernetes 1.34 and the custom schemas. */
function strictly(customFolder: string): string[] {
  const locations = [
    `${schemasFolder}/{{.ResourceKind}}{{.KindSuffix}}.json`,
    `${customFolder}/{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json`,
  ];
  return ["-strict", "-output", "json", ...locations.flatMap((location) => ["-schema-location", location])];
}

/**
 * Validates objects strictly with kubeconform, against the schemas of Kubernetes 1.34 and the custom schemas. Returns
 * kubeconform's summary.
 */
export async function kubeconform(yaml: string, customFolder: string): Promise<Summary> {
  const output = await run(tool("kubeconform"), [...strictly(customFolder), "-summary", "-"], { input: yaml });
  return (JSON.parse(output) as { summary: Summary }).summary;
}

/** kubeconform's result for one file, if several files are validated. */
export interface Judged {
  readonly valid: number;
  /** One line per invalid object. */
  readonly problems: readonly string[];
}

/**
 * Validates several files in one run of kubeconform. kubeconform then compiles the schemas only once. The compilation
 * takes longer than the validation.
 *
 * @param files texts by file name
 */
export async function kubeconformFiles(
  files: Readonly<Record<string, string>>,
  customFolder: string,
): Promise<Map<string, Judged>> {
  const folder = scratchFolder("kubeconform");
  const names = Object.keys(files);
  for (const name of names) writeFileSync(join(folder, `${name}.yaml`), files[name] ?? "");
  // kubeconform exits with code 1 if an object is invalid.
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
