/** meshops as a library: load an environment, render its bundle. */
export type { Bundle } from "./emit/bundle.ts";
export type { ComponentModel, Identity, Input, KubernetesObject, Model, Release } from "./model.ts";
export { render } from "./render.ts";
export type { Diagnostic, DiagnosticCode } from "./spec/diagnostic.ts";
export type { Environment } from "./spec/environment.generated.ts";
export type { ReadSource } from "./spec/inherit.ts";
export { type Loaded, loadEnvironment } from "./spec/load.ts";
export { parseSource } from "./spec/parse.ts";
export type { Source } from "./spec/source.ts";
export { readIdentity } from "./workspace/identity-files.ts";
export { Repository } from "./workspace/repository.ts";
