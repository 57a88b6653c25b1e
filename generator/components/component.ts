import type { DgraphChart } from "../catalog/dgraph.ts";
import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { Rule } from "../spec/rule.ts";
import type { ChangeRule } from "./change-rule.ts";
import type { ComponentModel, Input } from "./model.ts";

/** What every component is built from: the input, and what follows from it. */
export interface Context extends Input {
  readonly linkerdRelease: LinkerdRelease;
  readonly dgraphChart: DgraphChart;
  /** Host of the registry that mirrors all images; null where images come from upstream. */
  readonly mirror: string | null;
  /** See `identityRevision`. */
  readonly identityRevision: string;
}

/** The parts of a component's model that it decides itself; what it leaves out is empty. */
export type Built = Pick<ComponentModel, "namespace" | "partOf"> & Partial<Omit<ComponentModel, "name" | "needs">>;

/** The manifest of a component: one folder under generator/components/ each. */
export interface Component {
  /** Name of its folders under bases/ and overlays/<env>/ and of its Flux Kustomization. */
  readonly name: string;
  /** Components that must be ready before it; those that the environment does not have are skipped. */
  readonly needs: readonly string[];
  enabled(context: Context): boolean;
  /** Namespaces that belong to it, enabled or not: no workload may use them. */
  readonly reservedNamespaces?: readonly string[];
  /** Label selector of what its chart registers with the API server: webhooks and aggregated APIs. Teardown removes these first. */
  readonly apiRegistrations?: string;
  /** Rules about its part of a spec. */
  readonly rules?: readonly Rule[];
  /** What a change of its objects risks. */
  readonly changeRules?: readonly ChangeRule[];
  build(context: Context): Built;
}
