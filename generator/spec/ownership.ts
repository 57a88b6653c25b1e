import type { Environment, Workload } from "./environment.generated.ts";

/** Whether meshops installs Linkerd. If false, another tool installs Linkerd, and meshops does not change Linkerd. */
export function installsLinkerd({ spec: { linkerd } }: Environment): boolean {
  return linkerd.lifecycle === "managed";
}

/**
 * Whether another program issues the certificates of the mesh. If true, the repository contains no certificate and no
 * private key of the mesh.
 */
export function hasExternalIdentity(environment: Environment): boolean {
  return !installsLinkerd(environment) || environment.spec.linkerd.identity.provider === "external";
}

/**
 * Returns the name and namespace of an environment's root Kustomization, which applies the other Kustomizations. If the
 * spec does not contain `gitops.root`, bootstrap creates the root Kustomization with the same name as `flux bootstrap`.
 */
export function rootOf({ spec: { gitops } }: Environment): { readonly name: string; readonly namespace: string } {
  return gitops.root?.kustomization ?? { name: "flux-system", namespace: "flux-system" };
}

/** Recipients of an environment's encrypted files. */
export type Recipients = NonNullable<Environment["spec"]["secrets"]>;

/**
 * Returns the recipients of an environment's encrypted files. The lists are empty if the spec has no section `secrets`,
 * because the environment then has no encrypted files.
 */
export function recipientsOf({ spec: { secrets } }: Environment): Recipients {
  return secrets ?? { age: [], admin: [] };
}

/** Whether meshops delivers the pods of a workload. If false, another tool delivers the pods. */
export function deliversWorkload({ source }: Pick<Workload, "source">): boolean {
  return source?.chart !== undefined || source?.oci !== undefined || source?.path !== undefined;
}
