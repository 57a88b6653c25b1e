import { fluxReleases } from "../../catalog/flux.ts";
import type { Snapshot } from "../../cluster/status/snapshot.ts";
import { isVersionAtLeast } from "../../system/version.ts";
import { wrap } from "../terminal/wrap.ts";

/** The version of Flux in a cluster. */
export interface InstalledFlux {
  /** For example `v2.9.6`. */
  readonly version: string;
  /** Whether this version of Flux accepts the generated files. */
  readonly supported: boolean;
}

/**
 * Returns the version of Flux in a cluster. Returns null if the snapshot of the cluster does not contain a valid
 * version.
 */
export function installedFlux({ fluxVersion }: Snapshot): InstalledFlux | null {
  const known = fluxVersion !== null && /^v\d+\.\d+\.\d+/.test(fluxVersion);
  return known ? { version: fluxVersion, supported: isVersionAtLeast(fluxVersion, fluxReleases.minimum) } : null;
}

/**
 * Returns the lines of a warning if the version of Flux in the cluster is too old. Otherwise, returns an empty list.
 */
export function renderFlux(environment: string, flux: InstalledFlux | null): string[] {
  if (flux?.supported !== false) return [];
  return wrap(
    `Flux ${flux.version} is older than ${fluxReleases.minimum}, and rejects the generated HelmReleases; fix: upgrade Flux, or run meshops bootstrap ${environment} --run --upgrade-flux`,
    "",
  );
}
