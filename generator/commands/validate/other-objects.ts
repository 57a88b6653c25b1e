import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { kustomizationName, placementOf } from "../../bundle/emit/placement.ts";
import type { Repository } from "../../bundle/repository.ts";
import { isManaged } from "../../catalog/well-known.ts";
import { modelOf } from "../../components/build.ts";
import { generatedObjects, isDelivered, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { mapAt } from "../../kubernetes/object-fields.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { gitopsNameRule, type OtherObject, type OwnObject, takenNames } from "../../lint/specs/gitops.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { basesFolder, overlaysFolder } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { gitRootOf } from "../../system/git-place.ts";
import { stateFolder } from "../../system/state-folder.ts";
import { ruleFindings } from "../rule-findings.ts";

/**
 * Returns findings about environments for which meshops generates an object that another file in the Git repository
 * already contains.
 */
export function nameFindings({ root }: Repository, loaded: readonly Loaded[]): Diagnostic[] {
  const top = gitRootOf(root);
  if (top === null) return [];
  const others = otherObjects(top, root);
  return loaded.flatMap((each) =>
    ruleFindings(each, gitopsNameRule, (environment) => takenNames(environment, ownObjects(environment), others)),
  );
}

/** Kinds of the objects that `nameFindings` compares. */
const kinds = ["Kustomization", "HelmRelease", "Namespace"];

/** Returns the objects of the kinds in `kinds` that meshops generates for an environment. */
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
 * Maximum size in bytes of a file that is read. Larger files are skipped, because files with objects of Flux are small.
 */
const largest = 1 << 20;

/** Names of folders that are skipped everywhere in the Git repository. */
const skippedFolders: readonly string[] = [".git", "node_modules"];

/**
 * Names of the folders in a platform repository that contain the objects of its environments. These folders are also
 * skipped.
 */
const ownFolders: readonly string[] = [overlaysFolder, basesFolder];

/**
 * Returns the objects in a Git repository that have one of the `kinds` and that meshops did not generate. The function
 * recognizes generated objects by their label. Older versions of meshops did not label all objects, so the function
 * also skips the folders `overlays` and `bases` of each platform repository. A Git repository can contain several
 * platform repositories. The function skips files and documents that cannot be parsed, for example templates.
 *
 * @param top root of the Git repository
 * @param root root of the platform repository
 */
function otherObjects(top: string, root: string): OtherObject[] {
  const found: OtherObject[] = [];
  const visit = (folder: string): void => {
    const entries = readdirSync(folder, { withFileTypes: true });
    const isPlatform = folder === root || entries.some((entry) => entry.isDirectory() && entry.name === stateFolder);
    const skipped = isPlatform ? [...skippedFolders, ...ownFolders] : skippedFolders;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.includes(entry.name)) visit(path);
      if (entry.isFile() && /\.ya?ml$/.test(entry.name) && statSync(path).size <= largest)
        found.push(...objectsIn(relative(top, path), readFileSync(path, "utf8")));
    }
  };
  visit(top);
  return found;
}

const mentionsKind = new RegExp(`kind["']?:\\s*["']?(?:${kinds.join("|")})\\b`);

function objectsIn(file: string, text: string): OtherObject[] {
  if (!mentionsKind.test(text)) return [];
  const { objects } = parseManifests(file, text);
  return objects
    .filter(({ apiVersion, kind, value }) => {
      const isOwn = isManaged(mapAt(value, "metadata", "labels"));
      // A kustomization.yaml of kustomize and a Kustomization of Flux have the same kind, but different API groups.
      return kinds.includes(kind) && !apiVersion.startsWith("kustomize.config.k8s.io/") && !isOwn;
    })
    .map(({ kind, name, namespace }) => ({ file, kind, name, namespace: namespace === "" ? null : namespace }));
}
