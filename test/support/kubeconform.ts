import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { schemasFolder } from "../../scripts/tools/paths.ts";
import { field, objectsIn } from "./objects.ts";
import { scratchFolder } from "./platform.ts";
import { referenceFolder, run, tool } from "./tools.ts";

/** A linkerd-crds chart whose render has the Gateway API's CRDs, by default; later ones install the same when asked. */
const withGatewayApi = "2025.4.4";

/**
 * Strict JSON schemas of custom resources, from the CRDs of the reference: Flux's, and those of one linkerd-crds chart. GRPCRoute comes
 * from the chart that renders it; stable-2.14's (1.8.0) has none, nor does its control plane know any.
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
    // The API server knows these of every object, whether the CRD names them or not.
    const common = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { type: "object" } };
    Object.assign(schema["properties"] as Record<string, unknown>, common);
    writeFileSync(join(folder, `${kind}-${group}-${version.name}.json`), JSON.stringify(schema));
  }
}

/** What the API server's strict field validation does: unknown fields are errors, unless the schema keeps them. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== "object" || node === null) return node;
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)])) as Record<string, unknown>;
  if (out["x-kubernetes-int-or-string"] === true) delete out["type"];
  const closed = "properties" in out && typeof out["properties"] === "object" && !("additionalProperties" in out);
  if (closed && out["x-kubernetes-preserve-unknown-fields"] !== true) out["additionalProperties"] = false;
  return out;
}

/** Judges objects by kubeconform, strictly, against Kubernetes 1.34 and the custom schemas. Returns its summary. */
export async function kubeconform(
  yaml: string,
  customFolder: string,
): Promise<{ valid: number; invalid: number; errors: number; skipped: number }> {
  const output = await run(
    tool("kubeconform"),
    [
      "-strict",
      "-summary",
      "-output",
      "json",
      "-schema-location",
      `${schemasFolder}/{{.ResourceKind}}{{.KindSuffix}}.json`,
      "-schema-location",
      `${customFolder}/{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json`,
      "-",
    ],
    { input: yaml },
  );
  return (JSON.parse(output) as { summary: { valid: number; invalid: number; errors: number; skipped: number } }).summary;
}
