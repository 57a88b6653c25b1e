import { workloadsFolder } from "../spec/layout.ts";

/**
 * Singular form of folder names. The folder for all components of a kind has a plural name, as in `policies/shop`. The
 * name of a single component is singular, as in `policy-shop`.
 */
const singular: Readonly<Record<string, string>> = { policies: "policy", [workloadsFolder]: "workload" };

/**
 * Returns the common name of a component's HelmRelease and of the component's file in `flux/`. If the component has no
 * chart, the helmfile release of the component also has this name.
 */
export function fluxName(id: string): string {
  const [kind = "", ...rest] = id.split("/");
  return rest.length === 0 ? kind : [singular[kind] ?? kind, ...rest].join("-");
}

/** Id of the component with the pods of a workload. */
export function workloadId(key: string): string {
  return `${workloadsFolder}/${key}`;
}

/** Id of the component with the policies of a workload. */
export function policiesId(key: string): string {
  return `policies/${key}`;
}

/** Id of the component with the routes of a workload. */
export function routesId(key: string): string {
  return `routes/${key}`;
}

/** Whether a component contains the pods of a workload. */
export function isWorkload({ id }: { readonly id: string }): boolean {
  return id.startsWith(`${workloadsFolder}/`);
}
