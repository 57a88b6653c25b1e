import { registryHost } from "../catalog/image.ts";
import { linkerdRelease } from "../catalog/linkerd.ts";
import type { Component, ComponentProvider, Context, Input } from "./component.ts";
import { sopsIdentity } from "./identity/provider.ts";
import { type ComponentModel, type Model, neededComponents } from "./model.ts";
import { namespacesComponent } from "./namespaces/component.ts";
import { withOverrides } from "./overrides.ts";
import { providers } from "./registry.ts";

/** Builds the model of an environment, with the components in startup order. Pure function. */
export function buildModel(input: Input, from: readonly ComponentProvider[] = providers): Model {
  const context = contextOf(input);
  const built = from.flatMap((provider) => [...provider.components(context)]).map((component) => build(component, context));
  const namespaces = namespacesComponent(built.flatMap((component) => component.namespaces));
  return {
    environment: input.environment,
    mirror: context.mirror,
    components: inStartupOrder([build(namespaces, context), ...built]),
  };
}

function contextOf({ environment, identity }: Input): Context {
  const { azure, linkerd } = environment.spec;
  return {
    environment,
    linkerdRelease: linkerdRelease(linkerd.version),
    mirror: azure?.registry?.mirrorImages === true ? registryHost(azure.registry.name) : null,
    identity: sopsIdentity(environment, identity),
  };
}

/** @throws Error if a component has both a chart and objects, because such objects need a separate component */
function build({ build, ...component }: Component, context: Context): ComponentModel {
  const output = build(context);
  if (output.delivery.kind === "chart" && Object.keys(output.objects ?? {}).length > 0)
    throw new Error(`component ${component.id} has a chart and objects`);
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
    images: [],
    ignoredDrift: [],
    owned: [],
    timeoutMinutes: 5,
    valuesFrom: [],
    lastValues: null,
    suspended: false,
    ...output,
    ...component,
  };
  return withOverrides(built, context.environment.spec.components);
}

/**
 * Sorts components in startup order: each component comes after the components that it needs. Components that do not
 * depend on each other are sorted by id, so that the order is the same on every run. Removes needs that refer to a
 * component that the environment does not have.
 *
 * @throws Error if two components have the same id, or if needs form a cycle
 */
function inStartupOrder(components: readonly ComponentModel[]): ComponentModel[] {
  const byId = new Map([...components].sort((a, b) => (a.id < b.id ? -1 : 1)).map((component) => [component.id, component]));
  if (byId.size !== components.length) throw new Error("two components have the same id");
  const ordered = new Map<string, ComponentModel>();
  const visit = (component: ComponentModel, ancestors: readonly string[]): void => {
    if (ancestors.includes(component.id))
      throw new Error(`components need each other: ${[...ancestors, component.id].join(", ")}`);
    for (const id of neededComponents(component)) {
      const needed = byId.get(id);
      if (needed !== undefined && !ordered.has(id)) visit(needed, [...ancestors, component.id]);
    }
    const needs = component.needs.filter((need) => !("component" in need) || byId.has(need.component));
    ordered.set(component.id, { ...component, needs });
  };
  for (const component of byId.values()) if (!ordered.has(component.id)) visit(component, []);
  return [...ordered.values()];
}
