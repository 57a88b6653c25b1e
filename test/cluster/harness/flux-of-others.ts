/**
 * Returns a Kustomization of an existing Flux repository. The source of this Kustomization is the GitRepository that
 * `fluxOfOthers` returns.
 */
export function kustomizationOfOthers(name: string, path: string): object {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: "flux-system" },
    spec: { interval: "10m", retryInterval: "2s", path, prune: true, sourceRef: { kind: "GitRepository", name: "flux-system" } },
  };
}

/** Returns the source and the Kustomization that `flux bootstrap git` creates in the cluster. */
export function fluxOfOthers(url: string, path: string): readonly object[] {
  const source = {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "GitRepository",
    metadata: { name: "flux-system", namespace: "flux-system" },
    spec: { interval: "1m", url, ref: { branch: "main" } },
  };
  return [source, kustomizationOfOthers("flux-system", path)];
}
