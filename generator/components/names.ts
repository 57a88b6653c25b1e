import { workloadsFolder } from "../spec/layout.ts";

/** Folders of components of one kind are plural, such as `policies/shop`. Names of single components are singular. */
const singular: Readonly<Record<string, string>> = { policies: "policy", [workloadsFolder]: "workload" };

/** Name of a component's HelmRelease and of its file in `flux/`, and of its helmfile release if it has no chart. */
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
