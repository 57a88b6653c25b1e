import { sourceOf } from "../spec/value-source.ts";
import { asMap } from "../system/data.ts";
import { readInjection } from "./config.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { type Transformed, transform } from "./transform.ts";

/** The `spec` of a MeshInjection. Omitted fields have the defaults of the schema. */
export type InjectionSpec = Pick<MeshInjection["spec"], "linkerd"> & Partial<MeshInjection["spec"]>;

/**
 * Injects the Kubernetes objects of a YAML stream, and adds policies for the configured clients. The function is pure.
 * Unchanged parts of the text are kept as written.
 *
 * @returns the stream and the findings about it; if `diagnostics` is not empty or a note is an error, the text is
 *   unchanged
 */
export function injectManifests(text: string, spec: InjectionSpec): Transformed {
  const config = {
    apiVersion: "meshops.dev/v1alpha1",
    kind: "MeshInjection",
    metadata: { name: "injection" },
    spec: asMap(spec),
  };
  const { injection, diagnostics } = readInjection(sourceOf(config, "injection"));
  if (injection === null) return { text, selected: 0, notes: [], judged: [], diagnostics };
  return transform(text, injection);
}
