import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { review } from "../../lint/manifests.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { knownVersion } from "../linkerd-version.ts";
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
