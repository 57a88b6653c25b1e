import { nearestRelease } from "../../catalog/linkerd.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { type AdmissionAction, admissionPolicies } from "../../lint/admission/policies.ts";
import { exitCode } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { knownVersion } from "../linkerd-version.ts";

interface ExportOptions {
  readonly linkerd?: string | undefined;
  readonly action: AdmissionAction;
}

/**
 * `meshops rules export --validating-admission-policy`: prints ValidatingAdmissionPolicies and their bindings as a YAML
 * stream.
 */
export async function exportRules({ linkerd, action }: ExportOptions, io: Io): Promise<number> {
  const release = linkerd === undefined ? null : nearestRelease(knownVersion(linkerd));
  io.stdout.write(toYaml(admissionPolicies(release, action)));
  return exitCode.ok;
}
