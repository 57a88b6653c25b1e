import { asMap, isMap } from "../system/data.ts";
import type { FieldChange } from "./change-rule.ts";

/**
 * Chart values whose changes `meshops diff` can assess: the values that meshops generates. If any other value changes,
 * the cause is an override, and meshops cannot assess the effects of the change.
 */
export interface AssessedValues {
  /** Name of the HelmRelease. */
  readonly helmRelease: string;
  /** Dotted paths of values. A path includes all values below it. */
  readonly paths: readonly string[];
  /** Effect of a change of these values; null if a change rule of the component describes the effect. */
  readonly effect: string | null;
}

/**
 * Matches the paths of chart values that configure only how the pods of a chart run. These names have the same meaning
 * in all charts of the catalog.
 */
const podSettings =
  /(^|\.)(\w*[rR]esources|nodeSelector|tolerations|priorityClassName|podAnnotations|topologySpreadConstraints)(\.|\[|$)/;

const prefix = "spec.values.";

/** Whether a field of a HelmRelease contains only chart values whose changes `meshops diff` can assess. */
export function isAssessed(field: FieldChange, paths: readonly string[]): boolean {
  return field.path.startsWith(prefix) && unassessedValues([field], paths).length === 0;
}

/** Returns the names of the changed chart values that `meshops diff` cannot assess. */
export function unassessedValues(fields: readonly FieldChange[], paths: readonly string[]): string[] {
  const known = (path: string): boolean =>
    podSettings.test(path) || paths.some((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`));
  const names = fields
    .filter(({ path }) => path.startsWith(prefix))
    .flatMap(({ path, before, after }) => [before, after].flatMap((value) => [...leaves(value, path.slice(prefix.length))]));
  return [...new Set(names)].filter((name) => !known(name));
}

/**
 * Matches the paths of fields that the patches of meshops set. These fields are annotations, the preStop hook of a
 * container, and the priority class and the topology spread of pods.
 */
const patchedByMeshops =
  /^(metadata\.annotations|spec\.(jobTemplate\.spec\.)?template\.metadata\.annotations|spec\.template\.spec\.containers\[[^\]]*\]\.(name|lifecycle)|spec\.template\.spec\.(priorityClassName|topologySpreadConstraints))(\.|\[|$)/;

/** Matches the paths of fields that the patches of meshops set in the objects of a folder under bases/. */
const patchedInBase =
  /^(apiVersion|kind|metadata\.(name|namespace|annotations)|spec\.template\.(metadata\.annotations|spec\.imagePullSecrets|spec\.containers\[\d+\]\.(name|env)))(\.|\[|$)/;

/**
 * Whether a patch sets only fields that the patches of meshops also set. Returns false if the patch contains an empty
 * list, an empty map or null. Such a value also changes the object, but `leaves` yields no path for an empty list or an
 * empty map.
 */
export function isGeneratedBasePatch(patch: unknown): boolean {
  return [...leaves(patch, "")].every((path) => patchedInBase.test(path)) && !JSON.stringify(patch).match(/:(\[\]|\{\}|null)/);
}

/**
 * Whether a changed field of a HelmRelease, or of an overlay's kustomization.yaml, belongs to a patch that meshops can
 * generate. Such a patch changes one object, and sets only fields that `patchedByMeshops` matches.
 */
export function isGeneratedPatch({ path, before, after }: FieldChange): boolean {
  const all = path === "spec.postRenderers" || path === "patches";
  if (all)
    return [before, after].every(
      (value) =>
        (value === undefined || isMap(value)) &&
        Object.entries(asMap(value)).every(
          ([key, patch]) => objectKey.test(key) && [...leaves(patch, "")].every((leaf) => patchedByMeshops.test(leaf)),
        ),
    );
  const [, inner] = /^(?:spec\.postRenderers|patches)\."[A-Za-z]+\/[^"]+"\.?(.*)$/.exec(path) ?? [];
  if (inner === undefined) return false;
  return [before, after].every((value) => [...leaves(value, inner)].every((leaf) => patchedByMeshops.test(leaf)));
}

/**
 * Matches the key of a patch for one object. The key consists of the kind and the name of the object, as in
 * `Kind/name`.
 */
const objectKey = /^[A-Za-z]+\/.+$/;

/**
 * Yields the path of each scalar in the given value, including scalars in nested maps and lists. Each path starts with
 * the argument `path`. Yields nothing if the value is undefined.
 */
function* leaves(value: unknown, path: string): Iterable<string> {
  if (value === undefined) return;
  if (isMap(value)) for (const [key, inner] of Object.entries(value)) yield* leaves(inner, path === "" ? key : `${path}.${key}`);
  else if (Array.isArray(value)) for (const [index, inner] of value.entries()) yield* leaves(inner, `${path}[${index}]`);
  else yield path;
}
