/**
 * meshops as a library: load an environment, render its bundle; inject and judge anybody's manifests.
 *
 * @packageDocumentation
 */
export type { Image } from "./catalog/image.ts";
export type { LinkerdVersion } from "./catalog/linkerd.ts";
export type { Repository as ChartRepository } from "./catalog/repositories.ts";
export type { Bundle } from "./emit/bundle.ts";
export type { Note } from "./inject/change.ts";
export { type InjectionSpec, injectManifests } from "./inject/manifests.ts";
export type { MeshInjection } from "./inject/mesh-injection.generated.ts";
export type { Transformed } from "./inject/transform.ts";
export type { ComponentModel, Identity, Input, Json, JsonMap, KubernetesObject, Model, Release } from "./model.ts";
export { type Rendered, render } from "./render.ts";
export type { Manifest } from "./review/read.ts";
export { type Judged, reviewManifests } from "./review/review.ts";
export type { Diagnostic, DiagnosticCode, Excerpt } from "./spec/diagnostic.ts";
export type { Environment } from "./spec/environment.generated.ts";
export type { ReadSource } from "./spec/inherit.ts";
export { type Loaded, loadEnvironment } from "./spec/load.ts";
export { parseSource } from "./spec/parse.ts";
export type { Judgement } from "./spec/rules.ts";
export type { Path, Source, Statement } from "./spec/source.ts";
export { type IdentityResult, readIdentity } from "./workspace/identity-files.ts";
export { Repository } from "./workspace/repository.ts";
