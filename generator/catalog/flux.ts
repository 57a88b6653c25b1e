/**
 * Facts about Flux.
 *
 * The generated HelmReleases use `install.strategy` and `upgrade.strategy`, which helm-controller supports since 1.4.0
 * (its CHANGELOG), the version in Flux 2.7.0. An older helm-controller rejects the HelmReleases.
 */
export const fluxReleases = {
  /** The oldest Flux that accepts the generated files. */
  minimum: "v2.7.0",
  /** The Flux that bootstrap installs if the spec does not set a version. */
  pinned: "v2.9.6",
} as const;

/** URL of the install manifests of a Flux release (fluxcd.io, "Installation"). */
export function fluxManifests(version: string): string {
  return `https://github.com/fluxcd/flux2/releases/download/${version}/install.yaml`;
}
