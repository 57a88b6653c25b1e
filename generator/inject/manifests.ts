import { valueSource } from "../spec/value-source.ts";
import { asMap } from "../system/data.ts";
import { readInjection } from "./config.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { type Transformed, transform } from "./transform.ts";

/** The `spec` of a MeshInjection. Only `linkerd` is required. All other fields have the defaults in the schema. */
export type InjectionSpec = Pick<MeshInjection["spec"], "linkerd"> & Partial<MeshInjection["spec"]>;

/**
 * Adds Linkerd's annotations to the workloads and Services in a YAML stream, and adds policies for the clients in the
 * spec. The function is pure. It does not reformat the rest of the text.
 *
 * @returns the new text and the findings about it. If `diagnostics` is not empty, or if a note is an error, the text is
 * the same as the input
 */
export function injectManifests(text: string, spec: InjectionSpec): Transformed {
  const config = {
    apiVersion: "meshops.dev/v1alpha1",
    kind: "MeshInjection",
    metadata: { name: "injection" },
    spec: asMap(spec),
  };
  const { injection, diagnostics } = readInjection(valueSource(config, "injection"));
  if (injection === null) return { text, selected: 0, notes: [], findings: [], diagnostics };
  return transform(text, injection);
}
