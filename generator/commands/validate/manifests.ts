import { edgeOf, isKnownRelease, type LinkerdVersion, linkerdReleases, nearestRelease, withName } from "../../catalog/linkerd.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { review } from "../../lint/manifests.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { readManifestFiles } from "../manifest-files.ts";

/** Checks Kubernetes manifests. Returns the findings, and a text with the number of objects that were checked. */
export function validateManifests(
  io: Io,
  path: string,
  linkerd: string | undefined,
): { diagnostics: Diagnostic[]; checked: string } {
  const files = readManifestFiles(io, path).map(({ file, text }) => parseManifests(file, text));
  const objects = files.flatMap((file) => file.objects);
  const found = files.flatMap((file) => file.diagnostics);
  if (objects.length === 0 && found.length === 0)
    throw new UserError(
      exitCode.missing,
      `no Kubernetes objects found in ${path === "-" ? "stdin" : path}`,
      "specify another path; for a Helm chart, run helm template … | meshops validate --manifests -",
    );
  const diagnostics = [...found, ...review(objects, linkerd === undefined ? null : knownVersion(linkerd))];
  return { diagnostics, checked: `${plural(objects.length, "object")} checked` };
}

/** @throws UserError (usage) if the release is neither in the catalog nor a later edge release */
function knownVersion(version: string): LinkerdVersion {
  if (isKnownRelease(version) || (version.startsWith("edge-") && nearestRelease(version)?.channel === "edge")) return version;
  const edge = edgeOf(version.replace(/^stable-/, "").replace(/\.0$/, ""));
  throw new UserError(
    exitCode.usage,
    `unknown Linkerd release ${version}`,
    edge === null
      ? `use ${linkerdReleases.map((release) => withName(release.version)).join(", ")}, or a later edge release`
      : `use ${edge}, the edge release of this version`,
  );
}
