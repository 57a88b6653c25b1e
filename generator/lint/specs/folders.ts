import { parseDocument } from "yaml";
import type { Environment } from "../../spec/environment.generated.ts";
import { type FileRule, type RepositoryFiles, type RuleFinding, spec } from "../../spec/rule.ts";
import { asMap } from "../../system/data.ts";

/** Rule about missing folders of workloads. */
const missingFolderRule: FileRule = {
  code: "workload-folder-missing",
  severity: "error",
  title: "The folder of a workload has no kustomization.yaml",
  why: "The generated overlay includes the folder of the workload. Kustomize cannot include a folder without a kustomization.yaml, so Flux and helmfile cannot apply the workload.",
  fix: "Correct `source.path`, or add a kustomization.yaml to the folder. The path is relative to the root of the platform repository.",
  check: missingFolders,
};

/** Names of the file that Kustomize reads in a folder (kustomize, api/konfig/general.go). */
const kustomizationFiles = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** Yields a finding for each workload whose folder has no kustomization.yaml. */
function* missingFolders(environment: Environment, { exists }: RepositoryFiles): Iterable<RuleFinding> {
  for (const [key, { source }] of Object.entries(environment.spec.workloads)) {
    const path = source?.path;
    if (path === undefined || kustomizationFiles.some((file) => exists(`${path}/${file}`))) continue;
    yield {
      paths: [spec("workloads", key, "source", "path")],
      message: `the folder ${path} of this workload contains no kustomization.yaml`,
      fix: `correct the path, or create the file, for example with (cd ${path} && kustomize create --autodetect)`,
    };
  }
}

/** Rule about workloads whose folder contains an object with a different namespace than the workload. */
const movedObjectRule: FileRule = {
  code: "workload-namespace-helmfile",
  severity: "warning",
  title: "helmfile moves an object to another namespace",
  why: "The folder of the workload contains an object whose namespace differs from the namespace of the workload. Flux keeps the namespace of the object. helmfile replaces the namespace of all objects in a Kustomize folder with the namespace of the workload (chartify, kustomize.go).",
  fix: "Move the object to the folder of a separate workload, or remove the namespace from the object. If you install the environment only with Flux, silence the rule.",
  check: movedObjects,
};

/** Rule about Namespace objects in the folders of workloads. */
const includedNamespaceRule: FileRule = {
  code: "workload-namespace-included",
  severity: "error",
  title: "The folder of a workload contains the Namespace of the workload",
  why: "meshops applies the policies of a workload before its pods. meshops therefore creates the namespace of the workload itself. If the folder also contains the Namespace, two Kustomizations of Flux apply the Namespace. Each Kustomization then removes the annotations that the other Kustomization has set. If you later remove the workload, Flux deletes the namespace and all objects in the namespace.",
  fix: "Remove the Namespace from the folder. Set the labels of the namespace in `spec.namespaces.<namespace>.labels`, and its Linkerd settings in `spec.namespaces.<namespace>.mesh`.",
  check: includedNamespaces,
};

/** Rule about the field `namespace` in the kustomization.yaml of a workload. */
const namespaceFieldRule: FileRule = {
  code: "workload-namespace-other",
  severity: "error",
  title: "The kustomization.yaml of a workload sets a different namespace than the spec",
  why: "The field `namespace` in the kustomization.yaml of the folder sets the namespace of all objects in the folder. The pods then run in the namespace that the kustomization.yaml sets. meshops writes the policies to the namespace that the spec sets. No policy then applies to the pods.",
  fix: "Set `namespace` of the workload in the spec to the namespace in the kustomization.yaml, or remove `namespace` from the kustomization.yaml.",
  check: otherNamespaces,
};

/**
 * Yields a finding for each workload whose kustomization.yaml sets a namespace that differs from the namespace of the
 * workload.
 */
function* otherNamespaces(environment: Environment, files: RepositoryFiles): Iterable<RuleFinding> {
  for (const [key, { namespace, source }] of Object.entries(environment.spec.workloads)) {
    if (source?.path === undefined) continue;
    const [found] = kustomizationFiles.flatMap((name) => {
      const file = `${source.path}/${name}`;
      const other = namespaceField(files.text(file));
      return other === null ? [] : [{ file, other }];
    });
    if (found === undefined || found.other === namespace) continue;
    const { file, other } = found;
    yield {
      paths: [spec("workloads", key, "namespace")],
      message: `${file} sets the namespace ${other}, but the spec sets the namespace ${namespace} for the workload ${key}`,
      fix: `set namespace: ${other} for the workload, or remove the field namespace from ${file}`,
    };
  }
}

/** Returns the field `namespace` of a kustomization.yaml; null if the file or the field does not exist. */
function namespaceField(text: string | null): string | null {
  const { namespace } = text === null ? {} : asMap(parseDocument(text).toJS());
  return typeof namespace === "string" && namespace !== "" ? namespace : null;
}

/** Yields a finding for each workload whose folder contains the Namespace of the workload. */
function* includedNamespaces(environment: Environment, { objectsBelow }: RepositoryFiles): Iterable<RuleFinding> {
  for (const [key, { namespace, source }] of Object.entries(environment.spec.workloads)) {
    if (source?.path === undefined) continue;
    const found = objectsBelow(source.path).find(({ kind, name }) => kind === "Namespace" && name === namespace);
    if (found === undefined) continue;
    yield {
      paths: [spec("workloads", key, "source", "path")],
      message: `${found.source.file} contains the Namespace ${namespace}, but meshops already creates this namespace`,
      fix: `remove the Namespace from ${found.source.file}, and set the labels of the namespace in spec.namespaces.${namespace}`,
    };
  }
}

/**
 * Yields a finding for each workload whose folder contains an object in another namespace. The finding reports only the
 * first such object.
 */
function* movedObjects(environment: Environment, { objectsBelow }: RepositoryFiles): Iterable<RuleFinding> {
  for (const [key, { namespace, source }] of Object.entries(environment.spec.workloads)) {
    if (source?.path === undefined) continue;
    const found = objectsBelow(source.path).find((object) => object.namespace !== "" && object.namespace !== namespace);
    if (found === undefined) continue;
    yield {
      paths: [spec("workloads", key, "source", "path")],
      message: `${found.source.file} sets the namespace ${found.namespace} for ${found.kind} ${found.name}, but helmfile installs this object into the namespace ${namespace}`,
      fix: "move the object to the folder of a separate workload. If you install only with Flux, silence the rule instead",
    };
  }
}

/** Rules about the folders of workloads. */
export const folderRules: readonly FileRule[] = [missingFolderRule, includedNamespaceRule, namespaceFieldRule, movedObjectRule];
