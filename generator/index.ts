/**
 * Library of meshops. Its functions load an environment, render the generated files of the environment, add mesh
 * injection to Kubernetes manifests, and check Kubernetes manifests.
 *
 * @packageDocumentation
 */

export type { Bundle } from "./bundle/bundle.ts";
export { type Rendered, render } from "./bundle/render.ts";
export { Repository } from "./bundle/repository.ts";
export { readWorkloadFiles, type WorkloadFiles } from "./bundle/workload-files.ts";
export type { GrpcMethod, GrpcService } from "./catalog/grpc.ts";
export type { Image, Mirror } from "./catalog/image.ts";
export type { LinkerdVersion } from "./catalog/linkerd.ts";
export type { ChartRepository, OciChart } from "./catalog/repositories.ts";
export type { KeyForm, KeyReader } from "./catalog/secret-keys.ts";
export type {
  Delivery,
  EncryptedFile,
  IgnoredDrift,
  Input,
  NamespaceSpec,
  Need,
  ObjectName,
  Release,
  ValuesObject,
} from "./components/component.ts";
export type { ComponentModel, Model } from "./components/model.ts";
export type { JsonOperation, Patch, PatchTarget } from "./components/patch.ts";
export type { Diagnostic, DiagnosticCode, Excerpt } from "./diagnostics/diagnostic.ts";
export type { Path, Source, Statement } from "./diagnostics/source.ts";
export type { SecretContract } from "./identity/contracts.ts";
export type { Identity } from "./identity/identity.ts";
export { type IdentityResult, readIdentity } from "./identity/read-identity.ts";
export type { Note } from "./inject/change.ts";
export { type InjectionSpec, injectManifests } from "./inject/manifests.ts";
export type { MeshInjection } from "./inject/mesh-injection.generated.ts";
export type { Transformed } from "./inject/transform.ts";
export type { Json, JsonMap, KubernetesObject, StringMap } from "./kubernetes/object.ts";
export type { Manifest } from "./kubernetes/read.ts";
export { loadEnvironment } from "./lint/load.ts";
export { type ObjectFinding as Judged, reviewManifests } from "./lint/manifests.ts";
export type {
  AccountReference,
  ChartSource,
  ComponentPatch,
  DeclaredNamespace,
  Dependency,
  Environment,
  FluxObject,
  ImagePullSecrets,
  Method,
  NodeSelector,
  OciSource,
  Override,
  PodDisruptionBudget,
  Quantities,
  Resources,
  Routes,
  Spread,
  Toleration,
  Tolerations,
  TopologySpread,
  TrustAnchors,
  ValuesReference,
  ValuesSource,
  Workload,
  WorkloadClient,
  WorkloadPort,
} from "./spec/environment.generated.ts";
export type { ReadSource } from "./spec/inherit.ts";
export type { Loaded } from "./spec/load.ts";
export { parseSource } from "./spec/parse.ts";
export type { LocatedFinding as Judgement } from "./spec/rule.ts";
