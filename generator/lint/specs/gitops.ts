import { kustomizationName, placementOf } from "../../bundle/emit/placement.ts";
import { modelOf } from "../../components/build.ts";
import { generatedObjects, isDelivered, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type FileRule, type OtherObject, type RepositoryFiles, type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { plural } from "../../system/text.ts";

/** Rules about environments that an existing Flux installation applies. */
export const gitopsRules: readonly Rule[] = [
  {
    code: "gitops-root-missing",
    severity: "error",
    title: "`gitops.root` is missing, but the spec changes the source, namespace or service account of Flux",
    why:
      "Without `gitops.root`, `meshops bootstrap` creates a GitRepository and a root Kustomization, as `flux bootstrap` does. Both have the name `flux-system` and the namespace `flux-system`. " +
      "If the spec sets another source, another namespace or a service account, meshops assumes that an existing Flux installation applies the Kustomizations. This installation already has a root Kustomization. meshops must not create a second one.",
    fix: "Set `gitops.root` to the Kustomization whose folder includes `flux/<env>`, or remove `gitops.sourceRef`, `gitops.namespace` and `gitops.serviceAccountName`.",
    check: missingRoot,
  },
];

const ownSource: Environment["spec"]["gitops"]["sourceRef"] = {
  kind: "GitRepository",
  name: "flux-system",
  namespace: "flux-system",
};

function* missingRoot({ spec: { gitops } }: Environment): Iterable<RuleFinding> {
  if (gitops.root !== undefined) return;
  const { kind, name, namespace } = gitops.sourceRef;
  const paths = [
    ...(kind === ownSource.kind && name === ownSource.name && namespace === ownSource.namespace
      ? []
      : [spec("gitops", "sourceRef")]),
    ...(gitops.namespace === ownSource.namespace ? [] : [spec("gitops", "namespace")]),
    ...(gitops.serviceAccountName === undefined ? [] : [spec("gitops", "serviceAccountName")]),
  ];
  if (paths.length === 0) return;
  yield {
    paths,
    part: "key",
    message:
      "this field requires gitops.root. Without gitops.root, meshops bootstrap creates its own source and root Kustomization in the namespace flux-system",
    fix: "remove this field, or set gitops.root.kustomization to the Kustomization that applies flux/<env>",
  };
}

/** Rule that compares `gitops.path` with the path of the platform repository inside the Git repository. */
const pathRule: FileRule = {
  code: "gitops-path-mismatch",
  severity: "warning",
  title: "`gitops.path` is not the folder of the platform repository",
  why:
    "Flux reads the whole Git repository. The generated Kustomizations contain paths relative to the root of the Git repository. Each of these paths starts with `gitops.path`. " +
    "If `gitops.path` is not the folder of the platform repository, kustomize-controller reports that the paths do not exist, and applies no objects.",
  fix: "Set `gitops.path` to the folder that the finding shows. If Flux reads the folder from another Git repository, silence the rule.",
  check: pathMismatch,
};

/**
 * Yields a finding if `gitops.path` is not the path of the platform repository inside the Git repository. Yields
 * nothing if the source is an OCIRepository, because paths in an OCIRepository do not depend on Git.
 */
function* pathMismatch({ spec: { gitops } }: Environment, { place }: RepositoryFiles): Iterable<RuleFinding> {
  if (place === null || gitops.sourceRef.kind !== "GitRepository" || gitops.path === place) return;
  yield {
    paths: [spec("gitops", "path"), spec("gitops")],
    message: `gitops.path is "${gitops.path}", but this platform repository is ${place === "." ? "the root of its Git repository" : `in the folder "${place}" of its Git repository`}`,
    fix: `set gitops.path: ${place}`,
  };
}

/** Rule about generated objects that other files of the Git repository also contain. */
const nameRule: FileRule = {
  code: "gitops-name-taken",
  severity: "warning",
  title: "The Git repository already contains an object that meshops generates",
  why:
    "Two files contain an object with the same kind, name and namespace. If Flux applies both files to the same cluster, Flux repeatedly overwrites the object from one file with the object from the other file. " +
    "If you remove one of the files, Flux deletes the object. If the object is a Kustomization, Flux then also deletes all objects that the Kustomization applied. If the object is a Namespace, Kubernetes also deletes all objects in the namespace.",
  fix: "For a Kustomization, set `gitops.namePrefix`. For a namespace that other tools create, set `create: false` in `spec.namespaces`. For any other object, remove the object from the file that meshops did not generate. If Flux applies this file only to other clusters, silence the rule.",
  check: takenNames,
  onlyByValidate: true,
};

/**
 * Rules about the path of the platform repository inside the Git repository, and about objects in the other files of
 * the Git repository.
 */
export const gitopsFileRules: readonly FileRule[] = [pathRule, nameRule];

/** An object that meshops generates. The namespace of a cluster-scoped object is empty. */
interface OwnObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** Returns the Kustomizations, HelmReleases and Namespaces that meshops generates for an environment. */
function ownObjects(environment: Environment): OwnObject[] {
  const placement = placementOf(environment);
  const delivered = modelOf(environment).components.filter(isDelivered);
  return [
    ...delivered.map(({ id }) => ({
      kind: "Kustomization",
      name: kustomizationName(placement, id),
      namespace: placement.namespace,
    })),
    ...delivered
      .filter((component) => releaseOf(component) !== null)
      .map(({ id, namespace }) => ({ kind: "HelmRelease", name: fluxName(id), namespace })),
    ...generatedObjects(delivered)
      .filter(({ kind }) => kind === "Namespace")
      .map(({ kind, metadata: { name } }) => ({ kind, name, namespace: "" })),
  ];
}

/**
 * For each kind, yields one finding if meshops generates an object of this kind that other files of the Git repository
 * already contain.
 */
function* takenNames(environment: Environment, { otherObjects }: RepositoryFiles): Iterable<RuleFinding> {
  const { gitops } = environment.spec;
  const others = otherObjects();
  if (others.length === 0) return;
  const own = ownObjects(environment);
  const isSame = (a: OwnObject, b: OtherObject): boolean =>
    a.kind === b.kind && a.name === b.name && (b.namespace === null || a.namespace === "" || a.namespace === b.namespace);
  for (const kind of new Set(own.map((each) => each.kind))) {
    const taken = others.filter((other) => other.kind === kind && own.some((each) => isSame(each, other)));
    const [first] = taken;
    if (first === undefined) continue;
    const more = new Set(taken.map(({ name }) => name)).size - 1;
    const elsewhere =
      more === 0
        ? ""
        : `. The Git repository already contains ${plural(more, "more object")} of kind ${kind} that meshops generates`;
    yield {
      paths: kind === "Kustomization" ? [spec("gitops", "namePrefix"), spec("gitops")] : [spec()],
      message: `meshops generates ${kind} ${first.name}, but ${first.file} already contains this object${elsewhere}`,
      fix: fixForName(kind, first.file, gitops.namePrefix),
    };
  }
}

/** @param file file of the Git repository that already contains the object */
function fixForName(kind: string, file: string, namePrefix: string): string {
  if (kind === "Namespace")
    return `set create: false for this namespace in spec.namespaces, or remove the Namespace from ${file}`;
  if (kind !== "Kustomization") return `to let meshops manage this object, remove the object from ${file}`;
  return namePrefix === "mesh-" ? "set another gitops.namePrefix" : "set gitops.namePrefix: mesh-";
}
