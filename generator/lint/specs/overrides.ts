import { modelOf } from "../../components/build.ts";
import { type ComponentModel, isDelivered, neededComponents, releaseOf } from "../../components/model.ts";
import { fluxName, isWorkload } from "../../components/names.ts";
import { needOf, type OverrideInSpec, overrideOf, parsePatch } from "../../components/overrides.ts";
import type { OwnedValue } from "../../components/owned.ts";
import { providers } from "../../components/registry.ts";
import type { Path } from "../../diagnostics/source.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Dependency, Environment } from "../../spec/environment.generated.ts";
import { deliversWorkload, rootOf } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { asMap, isMap } from "../../system/data.ts";

/**
 * Rules about the overrides in `spec.components`, and about the overrides in `spec.workloads`, such as `values` and
 * `patches`.
 */
export const overrideRules: readonly Rule[] = [
  {
    code: "component-unknown",
    severity: "error",
    title: "The spec refers to a component or workload that does not exist",
    why: "Each key of `components`, and each `component` in `dependsOn`, must be the name of a component that meshops can generate. Each `workload` in `dependsOn` must be the name of a workload in the spec. You can also override a component that this environment does not contain, for example linkerd-jaeger if tracing is disabled. This override has no effect, and meshops reports no error.",
    fix: "Use the name of a component or workload. `meshops graph` lists the components and workloads of an environment.",
    check: knownNames,
  },
  {
    code: "override-refused",
    severity: "error",
    title: "A component does not support an override",
    why: "You can set `values` only for components that have a Helm chart. You cannot patch the component `identity`. helmfile applies the Secrets of this component in a hook, and not with Kustomize. You cannot override a component that another tool installs.",
    fix: "For components without a chart, use `patches` instead of `values`. Remove patches of `identity`, and overrides of components that another tool installs.",
    check: possibleOverrides,
  },
  {
    code: "override-owned",
    severity: "error",
    title: "An override changes a value or an annotation that meshops must set itself",
    why: "Some chart values must match other generated files, for example the values for certificates, injection annotations and mirrored images. The same applies to some annotations, for example the annotations for injection. If you change one of these values or annotations, the mesh or the component may not start, or pods may lose their proxies.",
    fix: "Remove the value or the patch. If the finding suggests a field of the spec, set this field instead.",
    check: ownedValues,
  },
  {
    code: "override-replaces",
    severity: "warning",
    title: "An override replaces a value that meshops generates",
    why: "The override takes precedence over the value that meshops generates. If meshops generates the value from a field of the spec, this field has no effect. If a user later changes only this field, the cluster does not change.",
    fix: "Remove the override, and set the field of the spec instead. If no field of the spec has the same effect, silence the rule.",
    check: replacedValues,
  },
  {
    code: "patch-invalid",
    severity: "error",
    title: "A patch is not a valid Kustomize patch",
    why: "A patch is YAML text. If the text is a map, the patch is a strategic merge patch. A strategic merge patch without `target` applies to the object that has the same `apiVersion`, `kind` and `metadata.name` as the patch. If the text is a list, the patch is a JSON patch (RFC 6902), which always needs a `target` (kustomize, patches).",
    fix: "Correct the text of the patch, or add a target.",
    check: validPatches,
  },
  {
    code: "dependency-helmfile",
    severity: "warning",
    title: "helmfile does not wait for a Kustomization or HelmRelease in `dependsOn`",
    why: "Flux applies a component when the Kustomizations and HelmReleases in its `dependsOn` are ready. helmfile waits only for the Helm releases in its own file. helmfile ignores dependencies on objects outside of this file, so it may install the component too early.",
    fix: "Remove the dependency, or silence the rule if you install the environment only with Flux.",
    check: dependenciesOfFlux,
  },
  {
    code: "dependency-root",
    severity: "warning",
    title: "A component waits for the root Kustomization that applies the component",
    why: "The root Kustomization applies the Kustomizations of all components. If the root Kustomization has `wait: true`, it becomes ready only when all these Kustomizations are ready. A component that waits for the root Kustomization then never becomes ready (kustomize-controller, `wait` and `dependsOn`).",
    fix: "Remove the dependency. If the root Kustomization does not have `wait: true`, silence the rule.",
    check: rootDependencies,
  },
  {
    code: "dependency-cycle",
    severity: "error",
    title: "Components depend on each other in a cycle",
    why: "Flux applies a component when all its dependencies are ready. If components depend on each other in a cycle, Flux never applies these components.",
    fix: "Remove one of the dependencies.",
    check: dependencyCycles,
  },
];

/** A component of an environment, and the overrides of this component in the spec. */
interface Overridden extends OverrideInSpec {
  readonly component: ComponentModel;
}

/** Returns the components of an environment without the overrides in the spec. */
export function generated(environment: Environment): readonly ComponentModel[] {
  const { workloads } = environment.spec;
  const plain = Object.entries(workloads).map(([key, workload]) => [key, { ...workload, ...nothing }]);
  const spec = { ...environment.spec, components: {}, workloads: Object.fromEntries(plain) };
  return modelOf({ ...environment, spec }).components;
}

const nothing = { values: {}, valuesFrom: [], patches: {}, dependsOn: [], timeout: undefined, suspend: false };

/** Whether `spec.components` is empty and meshops delivers no workload of the spec. */
function hasNone({ spec: { components, workloads } }: Environment): boolean {
  return Object.keys(components).length === 0 && !Object.values(workloads).some(deliversWorkload);
}

function* knownNames(environment: Environment): Iterable<RuleFinding> {
  if (hasNone(environment)) return;
  const present = generated(environment).map(({ id }) => id);
  const known = [...new Set([...present, ...providers.flatMap(({ optional = [] }) => optional)])].sort();
  const unknown = (name: string, path: Path): RuleFinding => ({
    paths: [path],
    message: `meshops has no component with the name ${name}`,
    expected: `one of ${known.join(", ")}`,
    fix: didYouMean(name, known) ?? "use the name of a component",
  });
  for (const name of Object.keys(environment.spec.components))
    if (name.startsWith("workloads/"))
      yield {
        paths: [spec("components", name)],
        message: `spec.components cannot contain ${name}. Overrides of workloads must be in spec.workloads`,
        fix: `move these fields to ${name.replace("/", ".")}`,
      };
    else if (!known.includes(name)) yield unknown(name, spec("components", name));
  for (const { override, at } of overridesOf(environment))
    for (const [index, { component, workload }] of override.dependsOn.entries()) {
      if (component !== undefined && !known.includes(component)) yield unknown(component, at("dependsOn", index, "component"));
      if (workload === undefined || Object.hasOwn(environment.spec.workloads, workload)) continue;
      const workloads = Object.keys(environment.spec.workloads);
      yield {
        paths: [at("dependsOn", index, "workload")],
        message: `the spec contains no workload ${workload}`,
        expected: workloads.length === 0 ? "a workload of this spec" : `one of ${workloads.join(", ")}`,
        fix: didYouMean(workload, workloads) ?? "use the name of a workload",
      };
    }
}

/** Returns all overrides in a spec, including overrides of components that the environment does not have. */
function overridesOf(environment: Environment): OverrideInSpec[] {
  const { components, workloads } = environment.spec;
  const ids = [...Object.keys(components), ...Object.keys(workloads).map((key) => `workloads/${key}`)];
  return ids.flatMap((id) => overrideOf(id, environment) ?? []);
}

/** Yields the overrides whose component exists in the environment. */
export function* overridden(environment: Environment): Iterable<Overridden> {
  if (hasNone(environment)) return;
  for (const component of generated(environment)) {
    const found = overrideOf(component.id, environment);
    if (found !== undefined) yield { component, ...found };
  }
}

function* possibleOverrides(environment: Environment): Iterable<RuleFinding> {
  if (hasNone(environment)) return;
  const ofOthers = new Set(
    generated(environment)
      .filter((each) => !isDelivered(each))
      .map(({ id }) => id),
  );
  for (const { component, override, at } of overridden(environment)) {
    const { id } = component;
    if (!isDelivered(component)) {
      yield {
        paths: [at()],
        message: `another tool installs ${id}, so meshops cannot change this component`,
        fix: `remove ${at().slice(1).join(".")}, and change ${id} with the tool that installs it`,
      };
      continue;
    }
    if (releaseOf(component) === null && Object.keys(override.values).length + override.valuesFrom.length > 0)
      yield {
        paths: [at("values"), at("valuesFrom")],
        message: isWorkload(component)
          ? `the source of the workload ${id.replace("workloads/", "")} is a folder, so you cannot set values for this workload`
          : `the component ${id} has no chart, so you cannot set values for this component`,
        fix: "remove the values, or use patches",
      };
    for (const [index, dependency] of override.dependsOn.entries()) {
      const need = needOf(dependency);
      const needed = "component" in need ? need.component : "";
      if (ofOthers.has(needed))
        yield {
          paths: [at("dependsOn", index)],
          message: `another tool installs ${needed}, so ${id} cannot wait for this component`,
          fix: `remove this item, or replace it with the Kustomization that installs ${needed}: {kustomization: {name: …, namespace: …}}`,
        };
    }
    for (const [index, { helmRelease }] of override.dependsOn.entries())
      if (helmRelease !== undefined && releaseOf(component) === null)
        yield {
          paths: [at("dependsOn", index)],
          message: `the component ${id} cannot depend on a HelmRelease, because the component has no chart`,
          fix: "replace the HelmRelease with the Kustomization that applies this HelmRelease",
        };
    if (component.secrets.length > 0 && Object.keys(override.patches).length > 0)
      yield {
        paths: [at("patches")],
        message: `you cannot patch the component ${id}, because helmfile applies the Secrets of this component without Kustomize`,
        fix: `remove the patches of ${id}`,
      };
  }
}

function* dependenciesOfFlux(environment: Environment): Iterable<RuleFinding> {
  for (const { component, override, at } of overridden(environment))
    for (const [index, { kustomization, helmRelease }] of override.dependsOn.entries()) {
      const needed = kustomization ?? helmRelease;
      if (needed === undefined) continue;
      yield {
        paths: [at("dependsOn", index)],
        message: `helmfile installs ${component.id} without waiting for ${kustomization === undefined ? "HelmRelease" : "Kustomization"} ${needed.name}`,
        fix: "remove this item. If you install only with Flux, silence the rule instead",
      };
    }
}

function* rootDependencies(environment: Environment): Iterable<RuleFinding> {
  const root = rootOf(environment);
  for (const { override, at } of overridesOf(environment))
    for (const [index, { kustomization }] of override.dependsOn.entries()) {
      if (kustomization?.name !== root.name || kustomization.namespace !== root.namespace) continue;
      yield {
        paths: [at("dependsOn", index)],
        message: `the root Kustomization ${root.name} applies this component. If the root Kustomization has wait: true, the component and the root Kustomization wait for each other`,
        fix: `remove this item of dependsOn. If Kustomization ${root.name} does not have wait: true, silence the rule instead`,
      };
    }
}

/** Yields the path and the value of each leaf of a map of values. An empty map is not a leaf. */
function* leaves(values: Readonly<Record<string, unknown>>, above: readonly string[] = []): Iterable<[string[], unknown]> {
  for (const [key, value] of Object.entries(values)) {
    const path = [...above, key];
    if (isMap(value)) yield* leaves(value, path);
    else yield [path, value];
  }
}

function* ownedValues(environment: Environment): Iterable<RuleFinding> {
  for (const { component, override, at } of overridden(environment))
    for (const [name, { patch: text }] of Object.entries(override.patches)) {
      const touched = touchesOwned(parsePatch(text));
      if (touched === null) continue;
      yield {
        paths: [at("patches", name)],
        message: `the patch ${name} changes ${touched} of ${component.id}. The annotations for injection, ports and Flux pruning must match other generated files`,
        fix: "remove this patch. If a field of the spec has the same effect, set this field instead",
      };
    }
  for (const { component, override, at } of overridden(environment))
    for (const [path] of leaves(override.values)) {
      const owned = component.owned.find((each) => overlaps(each, path));
      if (owned === undefined) continue;
      yield {
        paths: [at("values", ...path)],
        message: `you cannot override the value ${owned.path.join(".")} of ${component.id}, because this value must match other generated files`,
        fix: `remove this value. meshops generates the value from ${owned.field}`,
      };
    }
}

/**
 * Matches annotations whose values other generated files depend on: the annotations for injection and ports, and the
 * annotation that protects namespaces from deletion.
 */
const ownedAnnotations =
  /"?(linkerd\.io(\/|~1)inject|config\.linkerd\.io(\/|~1)(skip-(in|out)bound-ports|opaque-ports)|kustomize\.toolkit\.fluxcd\.io(\/|~1)prune)/;

/**
 * Returns a description of the changed annotations if a patch contains an annotation that `ownedAnnotations` matches,
 * or if the patch removes or replaces all annotations of an object. Otherwise, returns null.
 */
function touchesOwned(patch: unknown): string | null {
  const text = JSON.stringify(patch);
  const named = ownedAnnotations.exec(text)?.[1]?.replace("~1", "/");
  if (named !== undefined) return `the annotation ${named}`;
  const all = /"annotations":null/.test(text) || /"op":"(remove|replace)","path":"[^"]*\/annotations"/.test(text);
  return all ? "all annotations of an object" : null;
}

/**
 * Whether a value at a path replaces an owned value, a part of the owned value, or a map that contains the owned value.
 */
function overlaps({ path: owned }: OwnedValue, path: readonly string[]): boolean {
  return owned.slice(0, path.length).every((step, index) => step === path[index]);
}

function* replacedValues(environment: Environment): Iterable<RuleFinding> {
  for (const { component, override, at } of overridden(environment)) {
    const values = releaseOf(component)?.values ?? {};
    for (const [path, value] of leaves(override.values)) {
      const before = path.reduce<unknown>((map, step) => asMap(map)[step], values);
      if (before === undefined || JSON.stringify(before) === JSON.stringify(value)) continue;
      if (component.owned.some((each) => overlaps(each, path))) continue;
      yield {
        paths: [at("values", ...path)],
        message: `this value replaces the value that meshops generates for ${path.join(".")}: ${JSON.stringify(before)}`,
        fix: "remove this value. If a field of the spec has the same effect, set this field instead",
      };
    }
  }
}

function* validPatches(environment: Environment): Iterable<RuleFinding> {
  for (const { override, at } of overridesOf(environment))
    for (const [name, { target, patch: text }] of Object.entries(override.patches)) {
      const paths = [at("patches", name, "patch")];
      const patch = parsePatch(text);
      if (patch === null)
        yield {
          paths,
          message: `the text of patch ${name} is neither a map nor a list of JSON patch operations`,
          expected: "a map, or a list whose entries have op (add, remove, replace, move, copy or test), path, and value or from",
          fix: "write a map (strategic merge patch) or a list (JSON patch) as YAML",
        };
      else if (target === undefined && Array.isArray(patch))
        yield {
          paths,
          message: `patch ${name} is a JSON patch, but it has no target`,
          fix: "add target, for example target: {kind: Deployment}",
        };
      else if (target === undefined && !namesObject(patch))
        yield {
          paths,
          message: `patch ${name} does not identify an object. It has no target, and its apiVersion, kind or metadata.name is missing`,
          fix: "add apiVersion, kind and metadata.name to the patch, or add target",
        };
    }
}

/** Whether a patch contains the apiVersion, the kind and the name of an object. */
export function namesObject(patch: unknown): boolean {
  const { apiVersion, kind, metadata } = asMap(patch);
  return [apiVersion, kind, at(metadata, "name")].every((value) => typeof value === "string");
}

function* dependencyCycles(environment: Environment): Iterable<RuleFinding> {
  const overrides = [...overridden(environment)];
  if (!overrides.some(({ override }) => override.dependsOn.length > 0)) return;
  const needs = new Map(generated(environment).map((component) => [component.id, neededComponents(component)]));
  const added = new Map(overrides.map(({ component, override }) => [component.id, override.dependsOn]));
  // In dependsOn, a user can also specify a component by the name of its Kustomization or HelmRelease.
  const byName = new Map([...needs.keys()].map((id) => [fluxName(id), id]));
  const componentOf = (dependency: Dependency): string | undefined => {
    const need = needOf(dependency);
    if ("component" in need) return needs.has(need.component) ? need.component : undefined;
    return byName.get("kustomization" in need ? need.kustomization.name : need.helmRelease.name);
  };
  const next = (id: string): string[] => [
    ...(needs.get(id) ?? []),
    ...(added.get(id) ?? []).flatMap((dependency) => componentOf(dependency) ?? []),
  ];
  for (const { component, override, at } of overrides)
    for (const [index, dependency] of override.dependsOn.entries()) {
      const needed = componentOf(dependency);
      const path = needed === undefined ? null : pathBetween(needed, component.id, next, [component.id]);
      if (path === null) continue;
      yield {
        paths: [at("dependsOn", index)],
        message: `these components depend on each other in a cycle: ${path.join(" → ")}`,
        fix: "remove one of these dependencies",
      };
    }
}

/**
 * Returns the components in `before`, followed by the components on the first path of dependencies from component
 * `from` to component `to`. Returns null if no such path exists.
 */
function pathBetween(
  from: string,
  to: string,
  next: (id: string) => string[],
  before: readonly string[],
): readonly string[] | null {
  const path = [...before, from];
  if (from === to) return path;
  for (const id of next(from)) {
    if (path.slice(1).includes(id)) continue;
    const found = pathBetween(id, to, next, path);
    if (found !== null) return found;
  }
  return null;
}
