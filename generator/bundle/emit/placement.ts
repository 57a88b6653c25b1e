import { fluxName } from "../../components/names.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { fluxFolder } from "../../spec/layout.ts";
import { rootOf } from "../../spec/ownership.ts";
import { flux } from "./names.ts";

/** Name and namespace of an object of Flux. */
type FluxObjectName = {
  readonly name: string;
  readonly namespace: string;
};

/**
 * Location of an environment's Flux objects, and the Flux source that these objects use for the files of the platform
 * repository.
 */
export type Placement = {
  /** Namespace of the environment's Kustomizations, and of the Secret with the age key. */
  readonly namespace: string;
  /** Prefix of the names of the environment's Kustomizations; can be empty. */
  readonly prefix: string;
  /** Flux source that contains the files of the platform repository. */
  readonly source: FluxObjectName & { readonly kind: "GitRepository" | "OCIRepository" };
  /** Name and namespace of the root Kustomization, which applies the other Kustomizations of the environment. */
  readonly root: FluxObjectName;
  /**
   * Whether meshops creates and deletes the root Kustomization and the Flux source. If false, other tools manage these
   * objects.
   */
  readonly managesRoot: boolean;
  /** Service account that Flux's controllers impersonate; null if the controllers use their own rights. */
  readonly serviceAccount: string | null;
  /** Folder of the platform repository inside the source, as a path without `./`; `.` for the root of the source. */
  readonly folder: string;
};

/**
 * Returns the location of an environment's Flux objects.
 *
 * @param everything namespace that replaces all namespaces from the spec; if undefined, the namespaces from the spec
 *   are used
 */
export function placementOf(environment: Environment, everything?: string): Placement {
  const { namespace, namePrefix: prefix, sourceRef, root, serviceAccountName, path: folder } = environment.spec.gitops;
  const within = <T extends FluxObjectName>(object: T): T =>
    everything === undefined ? object : { ...object, namespace: everything };
  return {
    namespace: everything ?? namespace,
    prefix,
    source: within(sourceRef),
    root: within(rootOf(environment)),
    managesRoot: root === undefined,
    serviceAccount: serviceAccountName ?? null,
    folder,
  };
}

/**
 * Returns the field `serviceAccountName` of Kustomizations and HelmReleases; an empty map if the spec does not set a
 * service account.
 */
export function accountOf({ serviceAccount }: Placement): { serviceAccountName?: string } {
  return serviceAccount === null ? {} : { serviceAccountName: serviceAccount };
}

/** Name of a component's Kustomization. */
export function kustomizationName({ prefix }: Placement, id: string): string {
  return `${prefix}${fluxName(id)}`;
}

/** Converts the path of a folder in the platform repository to its path in the Flux source, without `./`. */
export function folderInSource({ folder }: Placement, inRepository: string): string {
  return folder === "." ? inRepository : `${folder}/${inRepository}`;
}

/**
 * Converts the path of a folder in the platform repository to its path in the Flux source, with `./` at the start as in
 * `spec.path` of a Kustomization.
 */
export function pathInSource(placement: Placement, inRepository: string): string {
  return `./${folderInSource(placement, inRepository)}`;
}

/** Returns the folder that the root Kustomization applies, as a path in the Flux source without `./`. */
export function rootFolder(environment: Environment): string {
  return folderInSource(placementOf(environment), fluxFolder(environment.metadata.name));
}

/**
 * Returns the folder that the root Kustomization applies, with `./` at the start as in `spec.path` of this
 * Kustomization.
 */
export function rootPath(environment: Environment): string {
  return `./${rootFolder(environment)}`;
}

/**
 * Returns the command that makes Flux reconcile a component's Kustomization. The command contains `--namespace` only if
 * the namespace is not flux-system, which is the flux CLI's default.
 */
export function reconcileCommand(placement: Placement, id: string): string {
  const { namespace } = placement;
  const option = namespace === flux.namespace ? "" : ` --namespace ${namespace}`;
  return `flux reconcile kustomization ${kustomizationName(placement, id)}${option}`;
}
