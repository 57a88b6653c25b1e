import type { ChartFacts, ObjectNames, ValueKeys } from "../../catalog/chart-facts.ts";
import { chartFacts } from "../../catalog/charts.ts";
import { fluxReleases } from "../../catalog/flux.ts";
import { type ComponentModel, releaseOf } from "../../components/model.ts";
import { parsePatch } from "../../components/overrides.ts";
import type { PatchTarget } from "../../components/patch.ts";
import type { Path } from "../../diagnostics/source.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { installsLinkerd } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { asMap, isMap } from "../../system/data.ts";
import { isVersionAtLeast } from "../../system/version.ts";
import { namesObject, overridden } from "./overrides.ts";

/** Rules that compare `spec.components` with the objects and values of the charts in the catalog. */
export const chartOverrideRules: readonly Rule[] = [
  {
    code: "patch-target",
    severity: "error",
    title: "A patch matches no object",
    why: "If the target of a patch matches no object, Kustomize ignores the patch, both in Flux and in helmfile. A patch without a target applies to the object with the same apiVersion, kind and name. If this object does not exist, Kustomize fails.",
    fix: "Correct the kind or the name in the patch.",
    check: (environment) => patchFindings(environment, "none"),
  },
  {
    code: "patch-unchecked",
    severity: "warning",
    title: "meshops cannot check whether a patch matches an object",
    why: "If the target of a patch matches no object, Kustomize ignores the patch. The catalog of meshops lists the objects that its charts render with their default values. The catalog does not list the objects of other charts, of other chart versions, or of your own folders. It also does not list objects that the charts render only because of your values.",
    fix: "Check with `helmfile template` that the patch has the intended effect. Then silence the rule.",
    check: (environment) => patchFindings(environment, "unknown"),
  },
  {
    code: "patch-hook",
    severity: "warning",
    title: "Flux does not apply a patch to a Helm hook",
    why: "Flux before version 2.9 does not patch Helm hooks (helm-controller, `postRenderStrategy`). helmfile and later versions of Flux patch Helm hooks.",
    fix: "Set `gitops.flux.version` to v2.9.0 or later.",
    check: (environment) => patchFindings(environment, "hook"),
  },
  {
    code: "value-unknown",
    severity: "warning",
    title: "The spec sets a Helm value that the chart does not read",
    why: "Helm ignores a value that no template of the chart reads, so the value has no effect. For the charts in its catalog, meshops compares your values with the values file and the templates of the chart.",
    fix: "Correct the name of the value. If the chart reads the value in a way that meshops does not find, silence the rule.",
    check: unknownValues,
  },
  {
    code: "values-from-helmfile",
    severity: "warning",
    title: "helmfile does not read values from a ConfigMap or Secret",
    why: "In the cluster, Flux reads the ConfigMaps and Secrets of `valuesFrom`, and the Secret of `linkerd.identity.trustAnchors`. helmfile reads only files, so helmfile would install the Helm release without these values.",
    fix: "Write the values to `values`, and the trust anchors to the ConfigMap linkerd-identity-trust-roots. If you install the environment only with Flux, silence the rule instead.",
    check: valuesOnlyForFlux,
  },
];

/**
 * Yields a finding for each ConfigMap or Secret from which only Flux reads chart values. helmfile installs the charts
 * without these values.
 */
function* valuesOnlyForFlux(environment: Environment): Iterable<RuleFinding> {
  const { identity } = environment.spec.linkerd;
  const anchors = identity.trustAnchors?.secretRef;
  if (anchors !== undefined && identity.provider === "external" && installsLinkerd(environment))
    yield {
      paths: [spec("linkerd", "identity", "trustAnchors", "secretRef")],
      message: `helmfile installs linkerd-control-plane without the trust anchors of Secret ${anchors.name}`,
      fix: "remove secretRef, and write the trust anchors to the ConfigMap linkerd-identity-trust-roots. If you install only with Flux, silence the rule instead",
    };
  for (const { component, override, at } of overridden(environment))
    for (const [index, source] of override.valuesFrom.entries()) {
      const [kind, { name }] =
        source.configMapRef === undefined ? ["Secret", source.secretRef ?? { name: "" }] : ["ConfigMap", source.configMapRef];
      yield {
        paths: [at("valuesFrom", index)],
        message: `helmfile installs ${component.id} without the values of ${kind} ${name}`,
        fix: "remove this item of valuesFrom, and write the values of the ConfigMap or Secret to values. If you install only with Flux, silence the rule instead",
      };
    }
}

/** First Flux version that passes the objects of Helm hooks to the post-renderer (helm-controller, CHANGELOG). */
const firstWithHooks = "2.9.0";

/**
 * Whether a patch matches an object. `unknown` means that meshops does not know all objects of the component, or cannot
 * evaluate the target of the patch. `hook` means that the patch matches only Helm hooks, and that the environment uses
 * a Flux version that does not patch Helm hooks (before 2.9).
 */
type Match = "some" | "none" | "unknown" | "hook";

function* patchFindings(environment: Environment, wanted: Match): Iterable<RuleFinding> {
  for (const { component, override, at } of overridden(environment)) {
    const known = knownObjects(component);
    for (const [name, { target, patch: text }] of Object.entries(override.patches)) {
      const patch = parsePatch(text);
      const selector = target ?? (isMap(patch) && namesObject(patch) ? selectorOf(patch) : null);
      if (patch === null || selector === null) continue;
      const hasValues = Object.keys(override.values).length > 0;
      if (matchOf(selector, known, hasValues, environment) !== wanted) continue;
      const patched = (...path: Path): Path => at("patches", name, ...path);
      const named = (["name", "kind"] as const).find((field) => target?.[field] !== undefined);
      const path =
        wanted === "unknown"
          ? patched()
          : target === undefined
            ? patched("patch")
            : named === undefined
              ? patched("target")
              : patched("target", named);
      yield { paths: [path], ...describe(wanted, selector, component, known) };
    }
  }
}

/**
 * Returns the target for a patch that has no target. The target matches the object with the apiVersion, kind and name
 * that the patch contains.
 */
function selectorOf(patch: object): PatchTarget {
  const { apiVersion, kind, metadata } = asMap(patch);
  const [group, version] = groupAndVersion(String(apiVersion));
  return { group, version, kind: escaped(String(kind)), name: escaped(String(at(metadata, "name"))) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Objects of a component. The objects of a chart are from the catalog, all other objects are from the model of the
 * component.
 */
interface KnownObjects {
  readonly always: readonly Known[];
  /** Objects that the chart renders only if values differ from the default values. */
  readonly optional: readonly Known[];
  readonly hooks: readonly Known[];
}

interface Known {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

function knownObjects(component: ComponentModel): KnownObjects | null {
  const { delivery, objects } = component;
  const release = releaseOf(component);
  if (release !== null) {
    const facts = chartFacts(release.chart, release.version);
    return facts === null ? null : fromFacts(facts, release.name);
  }
  if (delivery.kind === "folder") return null;
  const own = Object.values(objects)
    .flat()
    .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name }));
  const based = delivery.kind === "kustomization" ? delivery.contains.map(parseKnown) : [];
  return { always: [...own, ...based], optional: [], hooks: [] };
}

function fromFacts({ objects, optional, hooks }: ChartFacts, release: string): KnownObjects {
  const list = (names: ObjectNames): Known[] =>
    Object.entries(names).flatMap(([type, each]) =>
      each.map((name) => parseKnown(`${type} ${name.replaceAll("{release}", release).replace(/^.*\//, "")}`)),
    );
  return { always: list(objects), optional: list(optional), hooks: list(hooks) };
}

function parseKnown(text: string): Known {
  const [apiVersion = "", kind = "", name = ""] = text.split(" ");
  return { apiVersion, kind, name };
}

function matchOf(
  selector: PatchTarget,
  known: KnownObjects | null,
  hasValues: boolean,
  { spec: { gitops } }: Environment,
): Match {
  if (known === null || !isPattern(selector)) return "unknown";
  const found = known.always.filter((object) => matches(selector, object));
  if (found.length === 0) {
    const kinds = [...known.always, ...known.optional].filter(({ kind }) => matchesPattern(selector.kind, kind));
    const possible = known.optional.some((object) => matches(selector, object)) || (hasValues && kinds.length === 0);
    return possible ? "unknown" : "none";
  }
  const isHook = (object: Known): boolean => known.hooks.some((hook) => JSON.stringify(hook) === JSON.stringify(object));
  const flux = gitops.flux.version ?? fluxReleases.pinned;
  return found.every(isHook) && !isVersionAtLeast(flux, firstWithHooks) ? "hook" : "some";
}

/**
 * Whether JavaScript can compile the patterns of a target. Kustomize uses Go's regular expressions, so JavaScript
 * cannot compile every pattern that Kustomize accepts.
 */
function isPattern({ kind, name }: PatchTarget): boolean {
  try {
    return [kind, name].every((pattern) => new RegExp(pattern ?? "") instanceof RegExp);
  } catch {
    return false;
  }
}

/**
 * Whether a target matches an object. The patterns of a target must match the whole kind and the whole name, as in
 * Kustomize (kustomize, api/types/selector.go).
 */
function matches({ group, version, kind, name }: PatchTarget, object: Known): boolean {
  const [ownGroup, ownVersion] = groupAndVersion(object.apiVersion);
  return (
    (group === undefined || group === ownGroup) &&
    (version === undefined || version === ownVersion) &&
    matchesPattern(kind, object.kind) &&
    matchesPattern(name, object.name)
  );
}

function matchesPattern(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || pattern === "" || new RegExp(`^(?:${pattern})$`).test(text);
}

function groupAndVersion(apiVersion: string): [group: string, version: string] {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? ["", group] : [group, version];
}

function describe(
  match: Match,
  { kind, name }: PatchTarget,
  { id }: ComponentModel,
  known: KnownObjects | null,
): Pick<RuleFinding, "message" | "expected" | "fix"> {
  const what = [kind ?? "", name ?? ""].join(" ").trim().replaceAll("\\", "");
  const objects = [...(known?.always ?? []), ...(known?.optional ?? [])];
  if (match === "none") {
    const kinds = [...new Set(objects.map((object) => object.kind))].sort();
    const names = objects.filter((object) => matchesPattern(kind, object.kind)).map((object) => object.name);
    return {
      message: `the component ${id} has no ${what === "" ? "object that the patch matches" : what}`,
      expected: names.length > 0 ? `one of ${names.join(", ")}` : `one of these kinds: ${kinds.join(", ")}`,
      fix:
        (names.length > 0 ? didYouMean(name ?? "", names) : didYouMean(kind ?? "", kinds)) ??
        "remove this patch, or correct its target",
    };
  }
  if (match === "hook")
    return {
      message: `Flux before ${firstWithHooks} does not apply this patch, because ${what === "" ? "the patched object" : what} is a Helm hook`,
      fix: `set gitops.flux.version: ${fluxReleases.pinned}`,
    };
  return {
    message: `meshops cannot check whether the component ${id} has ${what === "" ? "an object that the patch matches" : what}`,
    fix: "remove this patch. As an alternative, check the effect of this patch with helmfile template, and then silence the rule",
  };
}

function* unknownValues(environment: Environment): Iterable<RuleFinding> {
  for (const { component, override, at } of overridden(environment)) {
    const release = releaseOf(component);
    const keys = release === null ? null : (chartFacts(release.chart, release.version)?.values ?? null);
    if (keys === null) continue;
    for (const { path, known } of unread(override.values, keys))
      yield {
        paths: [at("values", ...path)],
        part: "key",
        message: `the chart ${release?.chart} ${release?.version} does not read the value ${path.join(".")}`,
        fix: didYouMean(path.at(-1) ?? "", known) ?? "remove this value, or silence the rule",
      };
  }
}

/** Values that every chart accepts, because Helm itself reads them. */
const ofHelm = ["global"];

/**
 * For each value that a chart does not read, yields the path of the value, and the keys that the chart reads in the
 * same map.
 */
function* unread(
  values: Readonly<Record<string, unknown>>,
  keys: ValueKeys,
  above: readonly string[] = [],
): Iterable<{ readonly path: readonly string[]; readonly known: readonly string[] }> {
  for (const [key, value] of Object.entries(values)) {
    const path = [...above, key];
    const inner = keys[key];
    if (inner === undefined) {
      if (above.length > 0 || !ofHelm.includes(key)) yield { path, known: Object.keys(keys) };
    } else if (inner !== null && isMap(value)) yield* unread(value, inner, path);
  }
}
