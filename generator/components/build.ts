import { linkerdRelease } from "../catalog/linkerd.ts";
import { noIdentity } from "../identity/identity.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { hasExternalIdentity } from "../spec/ownership.ts";
import type { Component, ComponentProvider, Input, ModelContext, Need } from "./component.ts";
import { externalIdentity } from "./identity/external.ts";
import { sopsIdentity } from "./identity/sops.ts";
import { mirrorOf } from "./mirror.ts";
import { type ComponentModel, isDelivered, type Model, neededComponents } from "./model.ts";
import { namespacesComponent } from "./namespaces/component.ts";
import { declaredNamespaces, namespaceChecks } from "./namespaces/declared.ts";
import { serviceAccounts } from "./namespaces/service-accounts.ts";
import { withOverrides } from "./overrides.ts";
import { proxyMetrics } from "./proxy-metrics/component.ts";
import { providers } from "./registry.ts";

/** Builds the model of an environment, with the components in startup order. Pure function. */
export function buildModel(input: Input, from: readonly ComponentProvider[] = providers): Model {
  const context = contextOf(input);
  const built = from.flatMap((provider) => [...provider.components(context)]).map((component) => build(component, context));
  const specs = built.flatMap((component) => component.namespaces);
  const all = [...specs, ...declaredNamespaces(input.environment, specs)];
  const checks = namespaceChecks(input.environment);
  const namespaces =
    all.length === 0 && checks.length === 0
      ? []
      : [build(namespacesComponent(all, checks, serviceAccounts(input.environment, built)), context)];
  const metrics = proxyMetrics(
    input.environment,
    all.map(({ name }) => name),
  ).map((component) => build(component, context));
  return {
    environment: input.environment,
    mirror: context.mirror,
    components: inStartupOrder([...namespaces, ...built, ...metrics]),
    contracts: context.identity.contracts,
  };
}

/**
 * Builds the model of an environment without its certificates. Do not read the parts of this model that depend on
 * certificates. These parts are the chart values for certificates, and the annotation `meshops.dev/identity-revision`.
 */
export function modelOf(environment: Environment): Model {
  return buildModel({ environment, identity: noIdentity });
}

function contextOf({ environment, identity, encryptedFiles = new Map(), grpcServices = new Map() }: Input): ModelContext {
  const { linkerd } = environment.spec;
  return {
    environment,
    encryptedFiles,
    grpcServices,
    linkerdRelease: linkerdRelease(linkerd.version),
    mirror: mirrorOf(environment),
    identity: hasExternalIdentity(environment) ? externalIdentity(environment) : sopsIdentity(environment, identity),
  };
}

/** @throws Error if a component has both a chart and objects. The objects must be in a separate component */
function build({ build, ...component }: Component, context: ModelContext): ComponentModel {
  const output = build(context);
  if (output.delivery.kind === "chart" && Object.keys(output.objects ?? {}).length > 0)
    throw new Error(`component ${component.id} has both a chart and objects, but the objects must be in a separate component`);
  const built: ComponentModel = {
    namespaces: [],
    objects: {},
    patches: [],
    pods: [],
    checks: [],
    accessTarget: null,
    probeImage: null,
    sources: null,
    service: null,
    secrets: [],
    encryptedFiles: [],
    imageNames: {},
    images: [],
    ignoredDrift: [],
    owned: [],
    timeoutMinutes: 5,
    valuesFrom: [],
    overridesFrom: [],
    lastValues: null,
    suspended: false,
    ...output,
    ...component,
  };
  return withOverrides(built, context.environment);
}

/**
 * Sorts components in startup order: each component comes after the components that it needs. Components that do not
 * depend on each other are sorted by id, so that the order is the same on every run. Removes a need if the environment
 * does not have the needed component.
 *
 * @throws Error if two components have the same id, or if needs form a cycle
 */
function inStartupOrder(components: readonly ComponentModel[]): ComponentModel[] {
  const sorted = [...components].sort((a, b) => (a.id < b.id ? -1 : 1));
  const byId = new Map(sorted.map((component) => [component.id, { ...component, needs: needsOf(component, components) }]));
  if (byId.size !== components.length) throw new Error("two components have the same id");
  const ordered = new Set<ComponentModel>();
  const visit = (component: ComponentModel, ancestors: readonly string[]): void => {
    if (ancestors.includes(component.id))
      throw new Error(`these components need each other in a cycle: ${[...ancestors, component.id].join(", ")}`);
    for (const id of neededComponents(component)) {
      const needed = byId.get(id);
      if (needed !== undefined && !ordered.has(needed)) visit(needed, [...ancestors, component.id]);
    }
    ordered.add(component);
  };
  for (const component of byId.values()) if (!ordered.has(component)) visit(component, []);
  return [...ordered];
}

/**
 * Returns the needs of a component. Omits needs for components that the environment does not have. Adds a need for the
 * component `namespaces` if the component needs no other component that meshops delivers. All other components also
 * start after the namespaces, because each of them needs a component that starts after the namespaces.
 */
function needsOf(component: ComponentModel, all: readonly ComponentModel[]): readonly Need[] {
  const find = (id: string): ComponentModel | undefined => all.find((each) => each.id === id);
  const needs = component.needs.filter((need) => !("component" in need) || find(need.component) !== undefined);
  const needed = needs.flatMap((need) => ("component" in need ? (find(need.component) ?? []) : []));
  const isFirst = isDelivered(component) && component.id !== "namespaces" && !needed.some(isDelivered);
  const namespaces = find("namespaces");
  return isFirst && namespaces !== undefined && isDelivered(namespaces) ? [{ component: "namespaces" }, ...needs] : needs;
}
