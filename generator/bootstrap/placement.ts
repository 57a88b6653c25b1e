import { placementOf } from "../bundle/emit/placement.ts";
import type { Json } from "../kubernetes/object.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** Values of the scripts' templates about the place of the Flux objects. */
export function placementView(environment: Environment): Json {
  const { namespace, root, managesRoot } = placementOf(environment);
  return { namespace, managesRoot, root: { name: root.name, namespace: root.namespace } };
}
