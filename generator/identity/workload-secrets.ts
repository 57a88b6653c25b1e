import { join } from "node:path";
import { parseDocument } from "yaml";
import { type Diagnostic, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import { isCiphertext } from "../sops/cipher.ts";
import { SopsError } from "../sops/error.ts";
import { openFile } from "../sops/inspect.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { isEncryptedFile } from "../spec/layout.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { asMap } from "../system/data.ts";
import { readIfExists } from "../system/files.ts";
import { fileNameOf } from "../system/text.ts";
import type { FileProblem } from "./secret-check.ts";

/** Text of each SOPS file of the workloads, by path, and the findings about these files. */
export interface WorkloadSecrets {
  readonly files: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads and checks the SOPS files of an environment's workloads (`spec.workloads.<name>.secrets`). Never decrypts a
 * file.
 */
export function readWorkloadSecrets(root: string, environment: Environment): WorkloadSecrets {
  const files = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const report = (path: string, problem: FileProblem): void => {
    diagnostics.push(fileDiagnostic(path, { code: "workload-secret", ...problem }));
  };
  for (const [key, { namespace, secrets, source }] of Object.entries(environment.spec.workloads)) {
    for (const path of secrets) {
      const text = readIfExists(join(root, path));
      const twin = secrets.find((other) => other !== path && fileNameOf(other) === fileNameOf(path));
      const problem =
        text === null
          ? {
              message: `the file does not exist, but the workload ${key} lists it in the field secrets`,
              fix: `correct the path in workloads.${key}.secrets, or create the file`,
            }
          : twin !== undefined
            ? {
                message: `the workload ${key} lists two files with the same name: this file and ${twin}`,
                fix: "rename one of the files",
              }
            : problemOf(path, text, namespace, environment);
      if (problem !== null) report(path, problem);
      if (text !== null) files.set(path, text);
    }
    const included = source?.path === undefined ? [] : encryptedResources(root, source.path);
    for (const file of included)
      report(`${source?.path}/kustomization.yaml`, {
        message: `helmfile would install the encrypted file ${file} without decrypting it, because resources in this kustomization.yaml contains the file`,
        fix: `remove ${file} from resources in this kustomization.yaml, and add ${source?.path}/${file} to workloads.${key}.secrets`,
      });
  }
  return { files, diagnostics };
}

/** Returns the SOPS files that the kustomization.yaml of a folder lists in `resources`. */
function encryptedResources(root: string, folder: string): string[] {
  const text = readIfExists(join(root, folder, "kustomization.yaml"));
  const { resources } = asMap(text === null ? null : (parseDocument(text).toJS() as unknown));
  return Array.isArray(resources) ? resources.map(String).filter(isEncryptedFile) : [];
}

function problemOf(path: string, text: string, namespace: string, environment: Environment): FileProblem | null {
  try {
    const { metadata, plain } = openFile(text);
    const found = metadata.age.map(({ recipient }) => recipient);
    return wrongSecret(plain, namespace) ?? missingRecipient(path, found, environment);
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const encrypt = `do not commit the file; encrypt the file with meshops secrets encrypt --in-place ${path}`;
    return { message: error.message, fix: error.problem === "not-encrypted" ? encrypt : error.fix };
  }
}

/**
 * Checks the fields of a SOPS file that are not encrypted. Returns the first problem. Returns null if the file contains
 * a Secret in the namespace of the workload, and if all values of this Secret are encrypted.
 */
function wrongSecret(plain: Readonly<Record<string, unknown>>, namespace: string): FileProblem | null {
  const { apiVersion, kind, metadata, data, stringData } = plain;
  const { name, namespace: own } = asMap(metadata);
  if (typeof kind === "string" && !isCiphertext(kind) && kind !== "Secret")
    return {
      message: `the file contains a ${kind}, not a Secret`,
      fix: "remove this file from the list secrets of the workload: this list accepts only files that contain a Secret",
    };
  if (apiVersion !== "v1" || kind !== "Secret" || typeof name !== "string" || isCiphertext(name))
    return {
      message: "the file must contain one Secret whose apiVersion, kind and metadata are not encrypted",
      fix: 'set encrypted_regex: "^(data|stringData)$" in the rule for this file in .sops.yaml, and encrypt the file again',
    };
  if (own !== namespace)
    return {
      message:
        typeof own === "string"
          ? `the Secret is in namespace ${own}, but the workload is in namespace ${namespace}`
          : "the Secret has no namespace",
      // The MAC of the file can include the namespace. If a user changed the namespace without sops, the MAC would be
      // invalid.
      fix: `open the file with sops edit, and set metadata.namespace: ${namespace}; sops edit encrypts the file again`,
    };
  const open = [data, stringData].flatMap((map) => Object.entries(asMap(map))).find(([, value]) => !isEncrypted(value));
  return open === undefined
    ? null
    : {
        message: `the value of the key ${open[0]} is not encrypted`,
        fix: "do not commit the file; encrypt the file again with sops",
      };
}

/** Whether a value is encrypted. Returns true for an empty string, because SOPS does not encrypt empty strings. */
function isEncrypted(value: unknown): boolean {
  return value === "" || (typeof value === "string" && isCiphertext(value));
}

function missingRecipient(path: string, found: readonly string[], environment: Environment): FileProblem | null {
  const { age, admin } = recipientsOf(environment);
  if (age.length === 0)
    return {
      message: "the file is encrypted, but the spec does not list an age key of the cluster",
      fix: `restore spec.secrets from Git. If the cluster has no age key yet, run meshops identity keygen ${environment.metadata.name} --write instead`,
    };
  const missing = [...age, ...admin].find((recipient) => !found.includes(recipient));
  return missing === undefined
    ? null
    : {
        message: `${age.includes(missing) ? "the cluster" : "an administrator"} cannot decrypt the file: the file is not encrypted to ${missing}`,
        fix: `add the recipient to the rule in .sops.yaml, then run meshops secrets updatekeys ${path}`,
      };
}
