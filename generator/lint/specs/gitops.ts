import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { plural } from "../../system/text.ts";

/** Rules about the place of an environment in an existing Flux repository. */
export const gitopsRules: readonly Rule[] = [
  {
    code: "gitops-root-missing",
    severity: "error",
    title: "A source, namespace or service account is set, but `gitops.root` is missing",
    why:
      "Without `gitops.root`, `meshops bootstrap` creates the GitRepository and the root Kustomization `flux-system` in the namespace `flux-system`, in the same form as `flux bootstrap`. " +
      "If you set another source, another namespace or a service account, the Kustomizations belong to an existing installation of Flux. This installation already has a root Kustomization that applies other Kustomizations.",
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
    message: "this field needs gitops.root: without it, bootstrap creates a source and a root Kustomization in flux-system",
    fix: "remove this field; or set gitops.root.kustomization to the Kustomization that applies flux/<env>",
  };
}

/** Rule that compares `gitops.path` with the folder's place in Git. */
export const gitopsPathRule: RuleInfo = {
  code: "gitops-path-mismatch",
  severity: "warning",
  title: "The path in the spec is not the folder of the platform repository",
  why:
    "Flux reads the whole Git repository. The generated Kustomizations contain paths relative to the root of this repository, and `gitops.path` is the first part of these paths. " +
    "If `gitops.path` differs from the real folder, kustomize-controller reports that the paths do not exist, and applies nothing.",
  fix: "Set `gitops.path` to the folder that the finding names. If Flux reads the folder from another Git repository, silence the rule.",
};

/**
 * Compares `gitops.path` with the folder's place in Git. An OCIRepository contains the files that its owner packed, so
 * its paths are not checked.
 *
 * @param place path of the platform repository inside its Git repository, `.` for the root; null without Git
 */
export function* pathMismatch({ spec: { gitops } }: Environment, place: string | null): Iterable<RuleFinding> {
  if (place === null || gitops.sourceRef.kind !== "GitRepository" || gitops.path === place) return;
  yield {
    paths: [spec("gitops", "path"), spec("gitops")],
    message: `the folder of this platform repository is ${place === "." ? "the root of its Git repository" : place}, but gitops.path is ${gitops.path}`,
    fix: `set gitops.path: ${place}`,
  };
}

/** An object in the Git repository that meshops did not generate. */
export interface OtherObject {
  /** Path of the file, relative to the root of the Git repository. */
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  /** Null if the file does not contain the namespace. */
  readonly namespace: string | null;
}

/** Rule that finds objects in the Git repository that meshops also generates. */
export const gitopsNameRule: RuleInfo = {
  code: "gitops-name-taken",
  severity: "warning",
  title: "The Git repository already contains an object that meshops generates",
  why:
    "If two files contain an object with the same kind, name and namespace, and Flux applies both files to the same cluster, each reconciliation replaces the object of the other file. " +
    "If one of the files is removed, Flux deletes the object. If the object is a Kustomization, Flux then also deletes all objects that the Kustomization applied. If the object is a namespace, all objects in the namespace are deleted.",
  fix: "For a Kustomization, set `gitops.namePrefix`. For a namespace that belongs to others, set `create: false`. Otherwise, remove the object from one of the files. If Flux applies the other file only to other clusters, silence the rule.",
};

/** An object that meshops generates. The namespace of a cluster-scoped object is empty. */
export interface OwnObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** Yields one finding per kind of generated objects that the Git repository also contains. */
export function* takenNames(
  { spec: { gitops } }: Environment,
  own: readonly OwnObject[],
  others: readonly OtherObject[],
): Iterable<RuleFinding> {
  const isSame = (a: OwnObject, b: OtherObject): boolean =>
    a.kind === b.kind && a.name === b.name && (b.namespace === null || a.namespace === "" || a.namespace === b.namespace);
  for (const kind of new Set(own.map((each) => each.kind))) {
    const taken = others.filter((other) => other.kind === kind && own.some((each) => isSame(each, other)));
    const [first] = taken;
    if (first === undefined) continue;
    const more = new Set(taken.map(({ name }) => name)).size - 1;
    const elsewhere =
      more === 0 ? "" : `; this file or other files also contain ${plural(more, "other name")} of generated ${kind}s`;
    yield {
      paths: kind === "Kustomization" ? [spec("gitops", "namePrefix"), spec("gitops")] : [spec()],
      message: `the name ${first.name} of a generated ${kind} is also in ${first.file}${elsewhere}`,
      fix:
        kind === "Kustomization"
          ? gitops.namePrefix === "mesh-"
            ? "set another gitops.namePrefix"
            : "set gitops.namePrefix: mesh-"
          : kind === "Namespace"
            ? `set create: false for it in namespaces, or remove it from ${first.file}`
            : `if meshops takes it over, remove it from ${first.file}`,
    };
  }
}
