import type { DeclaredNamespace, Environment } from "../spec/environment.generated.ts";

/**
 * Returns a copy of `after` in which each namespace has the default inbound policy that it has in `before`. Returns
 * null if no default inbound policy of a namespace changes. The proxy injector copies the annotation
 * `config.linkerd.io/default-inbound-policy` of a namespace to a pod when the pod is created (linkerd2, pkg/inject).
 * Running pods therefore keep the old policy until they restart. The default inbound policy of the cluster is
 * different: if it changes, the policy controller applies the new policy to running pods (linkerd2, policy-controller,
 * inbound/index.rs).
 */
export function withOldDefaults(before: Environment, after: Environment): Environment | null {
  const { namespaces } = after.spec;
  const isChanged = Object.keys(namespaces).some((name) => policyOf(before, name) !== policyOf(after, name));
  if (!isChanged) return null;
  const old = Object.entries(namespaces).map(([name, settings]): [string, DeclaredNamespace] => {
    const { defaultInboundPolicy: _, ...mesh } = settings.mesh;
    const policy = policyOf(before, name);
    return [name, { ...settings, mesh: policy === undefined ? mesh : { ...mesh, defaultInboundPolicy: policy } }];
  });
  return { ...after, spec: { ...after.spec, namespaces: Object.fromEntries(old) } };
}

function policyOf({ spec }: Environment, namespace: string): DeclaredNamespace["mesh"]["defaultInboundPolicy"] {
  return spec.namespaces[namespace]?.mesh.defaultInboundPolicy;
}
