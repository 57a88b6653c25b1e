import { type LinkerdVersion, linkerdReleases } from "../../catalog/linkerd.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { review } from "../../lint/manifests.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { readManifestFiles } from "../manifest-files.ts";

/** What was found in somebody's manifests, and what was looked at, in words. */
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
      `there are no Kubernetes objects in ${path === "-" ? "stdin" : path}`,
      "Helm charts are passed over: helm template … | meshops validate --manifests -",
    );
  const diagnostics = [...found, ...review(objects, linkerd === undefined ? null : knownVersion(linkerd))];
  return { diagnostics, checked: `${plural(objects.length, "object")} checked` };
}

function knownVersion(version: string): LinkerdVersion {
  const known = linkerdReleases.find((release) => release.version === version);
  if (known === undefined)
    throw new UserError(
      exitCode.usage,
      `meshops does not know Linkerd ${version}`,
      `one of ${linkerdReleases.map((release) => release.version).join(", ")}`,
    );
  return known.version;
}
