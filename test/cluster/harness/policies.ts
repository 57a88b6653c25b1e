import { objectsIn } from "../../support/objects.ts";
import { readTree } from "../../support/platform.ts";

/**
 * Returns the generated policies of Dgraph, sorted. Each text has the format `<resource> <name>`, as in
 * `ControlPlane.created`.
 */
export function policiesOf(root: string, environment: string): string[] {
  return Object.entries(readTree(root, `overlays/${environment}/dgraph-policy`))
    .filter(([path]) => !path.endsWith("kustomization.yaml"))
    .flatMap(([, text]) => objectsIn(text))
    .map(({ kind, metadata }) => `${kind.toLowerCase().replace(/y$/, "ie")}s ${metadata.name}`)
    .sort();
}
