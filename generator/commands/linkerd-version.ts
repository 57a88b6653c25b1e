import { edgeOf, isKnownRelease, type LinkerdVersion, linkerdReleases, nearestRelease, withName } from "../catalog/linkerd.ts";
import { exitCode, UserError } from "../system/errors.ts";

/**
 * Returns the value of `--linkerd` if it is the name of a Linkerd release that meshops knows.
 *
 * @throws UserError (usage) if the catalog does not contain the release. Edge releases that are later than those in the
 * catalog are accepted
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
