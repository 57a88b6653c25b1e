import { buildModel } from "../components/build.ts";
import type { Input } from "../components/component.ts";
import type { Model } from "../components/model.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { emitFlux } from "./emit/flux.ts";
import { emitHelmfile } from "./emit/helmfile.ts";
import { emitOverlays } from "./emit/kustomize.ts";

/** What becomes of one environment: its model, and the files that say so. */
export interface Rendered {
  readonly model: Model;
  readonly bundle: Bundle;
}

/**
 * Everything that meshops writes for one environment. Pure: the same environment and the same committed
 * certificates give the same bytes. The root helmfile, which names all environments, is `emitRootHelmfile`'s.
 */
export function render(input: Input): Rendered {
  const model = buildModel(input);
  return { model, bundle: toBundle([emitHelmfile(model), ...emitOverlays(model), ...emitFlux(model)]) };
}
