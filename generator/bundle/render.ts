import { buildModel } from "../components/build.ts";
import type { Input } from "../components/component.ts";
import type { Model } from "../components/model.ts";
import { type Bundle, toBundle } from "./bundle.ts";
import { emitFlux } from "./emit/flux.ts";
import { emitHelmfile } from "./emit/helmfile.ts";
import { emitOverlays } from "./emit/kustomize.ts";

/** The model of one environment, and the files generated from it. */
export interface Rendered {
  readonly model: Model;
  readonly bundle: Bundle;
}

/**
 * Renders all files that meshops writes for one environment. Pure function: for the same environment and the same
 * certificates, the result has the same bytes. The result does not contain the root helmfile, because this file lists
 * all environments. `emitRootHelmfile` renders the root helmfile.
 */
export function render(input: Input): Rendered {
  const model = buildModel(input);
  return { model, bundle: toBundle([emitHelmfile(model), ...emitOverlays(model), ...emitFlux(model)]) };
}
