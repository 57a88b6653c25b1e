import { edgeOf, isKnownRelease, type LinkerdVersion, linkerdReleases, nearestRelease, withName } from "../catalog/linkerd.ts";
import { exitCode, UserError } from "../system/errors.ts";

/**
 * Returns the value of `--linkerd` if meshops accepts this release. meshops accepts every release in the catalog, and
 * every edge release that is not older than the oldest edge release in the catalog.
 *
 * @throws UserError (usage) if meshops does not accept the release
 */
export function knownVersion(version: string): LinkerdVersion {
  if (isKnownRelease(version) || (version.startsWith("edge-") && nearestRelease(version)?.channel === "edge")) return version;
  const edge = edgeOf(version.replace(/^stable-/, "").replace(/\.0$/, ""));
  throw new UserError(
    exitCode.usage,
    `unknown Linkerd release ${version}`,
    edge === null
      ? `use ${linkerdReleases.map((release) => withName(release.version)).join(", ")}, or a later edge release`
      : `use ${edge}, the edge release that corresponds to this version`,
  );
}
