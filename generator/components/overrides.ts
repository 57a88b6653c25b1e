import { isMap, isSeq, parseDocument } from "yaml";
import type { Path } from "../diagnostics/source.ts";
import type { Json, JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import type { Environment, Override } from "../spec/environment.generated.ts";
import { deliversWorkload } from "../spec/ownership.ts";
import { spec } from "../spec/rule.ts";
import { asMap } from "../system/data.ts";
import { compareText } from "../system/text.ts";
import type { Need, ValuesObject } from "./component.ts";
import type { ComponentModel } from "./model.ts";
import { workloadId } from "./names.ts";
import type { JsonOperation, Patch, PatchTarget } from "./patch.ts";
import { mergeValues } from "./values.ts";

/**
 * The changes that a spec specifies for a component (`override`). The function `at` returns the path of a field of
 * `override` in the spec.
 */
export interface OverrideInSpec {
  readonly override: Override;
  readonly at: (...steps: Path) => Path;
}

/**
 * Returns the changes that the spec specifies for a component. For the pods of a workload, these changes are in the
 * section of the workload. For all other components, they are in the section `spec.components`. Returns undefined if
 * the spec specifies no changes.
 */
export function overrideOf(id: string, { spec: { components, workloads } }: Environment): OverrideInSpec | undefined {
  const [kind, key = ""] = id.split("/");
  if (kind === "workloads") {
    const workload = workloads[key];
    return workload === undefined || !deliversWorkload(workload)
      ? undefined
      : { override: workload, at: (...steps) => spec("workloads", key, ...steps) };
  }
  const override = components[id];
  return override === undefined ? undefined : { override, at: (...steps) => spec("components", id, ...steps) };
}

/**
 * Returns a component with the changes that the spec specifies. The values and patches in the spec are applied after
 * the values and patches of the component.
 */
export function withOverrides(component: ComponentModel, environment: Environment): ComponentModel {
  const found = overrideOf(component.id, environment);
  if (found === undefined) return component;
  const { override } = found;
  const { delivery } = component;
  const values = override.values as JsonMap;
  const overridesFrom = override.valuesFrom.flatMap(sourceOf);
  const separate = overridesFrom.length > 0 && delivery.kind === "chart";
  return {
    ...component,
    delivery:
      delivery.kind === "chart" && !separate
        ? { ...delivery, release: { ...delivery.release, values: mergeValues(delivery.release.values, values) } }
        : delivery,
    overridesFrom,
    // Values from ConfigMaps and Secrets must not replace owned values. Flux therefore merges the owned values again
    // after the values from these objects.
    lastValues: separate ? mergeValues(ownedPart(delivery.release.values, component), values) : null,
    patches: [...component.patches, ...patchesOf(override)],
    needs: [...component.needs, ...override.dependsOn.map(needOf)],
    timeoutMinutes: override.timeout === undefined ? component.timeoutMinutes : minutesOf(override.timeout),
    suspended: override.suspend,
  };
}

function sourceOf({ configMapRef, secretRef }: Override["valuesFrom"][number]): ValuesObject[] {
  if (configMapRef !== undefined) return [{ kind: "ConfigMap", ...configMapRef }];
  return secretRef === undefined ? [] : [{ kind: "Secret", ...secretRef }];
}

/** Returns the part of a component's values that overrides must not replace. */
function ownedPart(values: JsonMap, { owned }: ComponentModel): JsonMap {
  return owned.reduce<JsonMap>((part, { path }) => {
    const value = at(values, ...path);
    return value === undefined
      ? part
      : mergeValues(part, path.reduceRight<Json>((inner, key) => ({ [key]: inner }), value as Json) as JsonMap);
  }, {});
}

/**
 * Returns the patches of an override, in the order of their names. Omits patches for which `parsePatch` returns null.
 */
function patchesOf({ patches }: Override): Patch[] {
  return Object.entries(patches)
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, { target, patch: text }]) => {
      const patch = parsePatch(text);
      return patch === null ? [] : [target === undefined ? { patch } : { target: target as PatchTarget, patch }];
    });
}

/**
 * Parses the text of a patch: a map is a strategic merge patch, a list is a JSON patch (RFC 6902). Returns null if the
 * text is neither.
 */
export function parsePatch(text: string): Patch["patch"] | null {
  const document = parseDocument(text);
  if (document.errors.length > 0) return null;
  const { contents } = document;
  const value = document.toJS() as Json;
  if (isMap(contents)) return value as unknown as KubernetesObject;
  return isSeq(contents) && contents.items.every((item) => isMap(item) && isOperation(item.toJS(document)))
    ? (value as unknown as JsonOperation[])
    : null;
}

/** Whether a value is an operation of a JSON patch, with the fields that the operation needs (RFC 6902, section 4). */
function isOperation(value: unknown): boolean {
  const { op, path, from, value: added } = asMap(value);
  if (typeof path !== "string") return false;
  if (op === "add" || op === "replace" || op === "test") return added !== undefined;
  return op === "remove" || ((op === "move" || op === "copy") && typeof from === "string");
}

/** Converts a dependency in the spec to a need. */
export function needOf({ component, workload, kustomization, helmRelease }: Override["dependsOn"][number]): Need {
  if (workload !== undefined) return { component: workloadId(workload) };
  if (kustomization !== undefined) return { kustomization };
  return helmRelease === undefined ? { component: component ?? "" } : { helmRelease };
}

/** Converts a time such as `1h30m` to minutes. */
function minutesOf(time: string): number {
  const [, hours = "0", minutes = "0"] = /^(?:(\d+)h)?(?:(\d+)m)?$/.exec(time) ?? [];
  return Number(hours) * 60 + Number(minutes);
}
