import { dgraphChart } from "../catalog/dgraph.ts";
import { registryHost } from "../catalog/image.ts";
import { linkerdRelease } from "../catalog/linkerd.ts";
import { identityRevision } from "../identity/pem.ts";
import type { Component, Context } from "./component.ts";
import type { ComponentModel, Input, Model } from "./model.ts";
import { components } from "./registry.ts";

/** Builds the model of an environment: its components, each after those that it needs. Pure. */
export function buildModel(input: Input): Model {
  const context = contextOf(input);
  const enabled = new Map(
    components.filter((component) => component.enabled(context)).map((component) => [component.name, component]),
  );
  return {
    environment: input.environment,
    mirror: context.mirror,
    components: inOrder(enabled).map((component) => build(component, enabled, context)),
  };
}

function contextOf(input: Input): Context {
  const { azure, linkerd, dgraph } = input.environment.spec;
  const mirror = azure?.registry?.mirrorImages === true ? registryHost(azure.registry.name) : null;
  return {
    ...input,
    linkerdRelease: linkerdRelease(linkerd.version),
    dgraphChart: dgraphChart(dgraph.chart),
    mirror,
    identityRevision: identityRevision(input.identity, linkerd.version),
  };
}

function build(component: Component, enabled: ReadonlyMap<string, Component>, context: Context): ComponentModel {
  return {
    base: null,
    release: null,
    resources: {},
    patches: [],
    secrets: [],
    images: [],
    baseImages: {},
    helmfile: "release",
    timeoutMinutes: 5,
    ...component.build(context),
    name: component.name,
    needs: component.needs.filter((name) => enabled.has(name)),
  };
}

/** Depth first along `needs`, by name among equals: the same order on every run. */
function inOrder(enabled: ReadonlyMap<string, Component>): Component[] {
  const ordered = new Set<Component>();
  const visit = (component: Component): void => {
    for (const name of component.needs) {
      const needed = enabled.get(name);
      if (needed !== undefined && !ordered.has(needed)) visit(needed);
    }
    ordered.add(component);
  };
  for (const component of enabled.values()) visit(component);
  return [...ordered];
}
