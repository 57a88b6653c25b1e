import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { review } from "../../lint/manifests.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { knownVersion } from "../linkerd-version.ts";
import { readManifestFiles } from "../manifest-files.ts";
import { notChecked, notCheckedFindings, skippedFolders } from "./not-checked.ts";

/** Value of `--linkerd` that means a cluster without Linkerd. */
const none = "none";

/**
 * Checks Kubernetes manifests. Returns the findings, a text with the number of checked objects, and a text about
 * objects and folders that were not checked.
 */
export function validateManifests(
  io: Io,
  path: string,
  linkerd: string | undefined,
): { diagnostics: Diagnostic[]; checked: string; note: string } {
  const input = readManifestFiles(io, path);
  const files = input.files.map(({ file, text }) => parseManifests(file, text));
  const objects = files.flatMap((file) => file.objects);
  const found = files.flatMap((file) => file.diagnostics);
  if (objects.length === 0 && found.length === 0)
    throw new UserError(
      exitCode.missing,
      `no Kubernetes objects found in ${path === "-" ? "stdin" : path}`,
      "specify another path; for a Helm chart, run helm template … | meshops validate --manifests -",
    );
  const checked = `${plural(objects.length, "object")} checked`;
  if (linkerd === none)
    return { diagnostics: found, checked, note: `; rules about Linkerd were not checked (--linkerd ${none})` };
  const left = notChecked(objects);
  const skipped = skippedFolders(input);
  const diagnostics = [
    ...found,
    ...review(objects, linkerd === undefined ? null : knownVersion(linkerd)),
    ...notCheckedFindings(left),
    ...skipped.map(({ finding }) => finding),
  ];
  const note = [...left, ...skipped].map(({ what }) => what).join(", ");
  return { diagnostics, checked, note: note === "" ? "" : `; not checked: ${note}` };
}
