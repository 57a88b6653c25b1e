/**
 * Facts about Flux.
 *
 * The generated HelmReleases use `install.strategy` and `upgrade.strategy`. These fields require helm-controller 1.4.0
 * (helm-controller's CHANGELOG), which is part of Flux 2.7.0. An older helm-controller rejects the HelmReleases.
 */
export const fluxReleases = {
  /** Oldest Flux version that accepts the generated files. */
  minimum: "v2.7.0",
  /** Flux version that bootstrap installs if the spec does not set a version. */
  pinned: "v2.9.6",
} as const;

/** URL of the install manifests of a Flux release (fluxcd.io, "Installation"). */
export function fluxManifests(version: string): string {
  return `https://github.com/fluxcd/flux2/releases/download/${version}/install.yaml`;
}
