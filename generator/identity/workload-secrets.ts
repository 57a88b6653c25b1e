import { join } from "node:path";
import { atStart, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { isCiphertext } from "../sops/cipher.ts";
import { SopsError } from "../sops/error.ts";
import { openFile } from "../sops/inspect.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { asMap } from "../system/data.ts";
import { readIfThere } from "../system/files.ts";

/** Encrypted files of workloads by path, and the findings about them. */
export interface WorkloadSecrets {
  readonly files: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the SOPS files of an environment's workloads (`spec.workloads.<name>.secrets`). Never decrypts anything. */
export function readWorkloadSecrets(root: string, environment: Environment): WorkloadSecrets {
  const files = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const [key, { namespace, secrets }] of Object.entries(environment.spec.workloads))
    for (const path of secrets) {
      const text = readIfThere(join(root, path));
      const problem =
        text === null
          ? { message: `the file does not exist, but the workload ${key} lists it`, fix: "correct the path, or create the file" }
          : problemOf(path, text, namespace, environment);
      if (problem !== null) diagnostics.push(atStart(path, { code: "workload-secret", ...problem }));
      if (text !== null) files.set(path, text);
    }
  return { files, diagnostics };
}

interface Problem {
  readonly message: string;
  readonly fix: string | null;
}

function problemOf(path: string, text: string, namespace: string, environment: Environment): Problem | null {
  try {
    const { metadata, plain } = openFile(text);
    const found = metadata.age.map(({ recipient }) => recipient);
    return wrongSecret(plain, namespace) ?? missingRecipient(path, found, environment);
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const encrypt = `do not commit the file; encrypt it with meshops secrets encrypt --in-place ${path}`;
    return { message: error.message, fix: error.problem === "not-encrypted" ? encrypt : error.fix };
  }
}

/** What is wrong with the parts of a file that are not encrypted; null if it contains one Secret for the workload. */
function wrongSecret(plain: Readonly<Record<string, unknown>>, namespace: string): Problem | null {
  const { apiVersion, kind, metadata, data, stringData } = plain;
  const { name, namespace: own } = asMap(metadata);
  if (apiVersion !== "v1" || kind !== "Secret" || typeof name !== "string" || isCiphertext(name))
    return {
      message: "the file must contain one Secret whose apiVersion, kind and metadata are not encrypted",
      fix: 'set encrypted_regex: "^(data|stringData)$" in the rule of .sops.yaml for this file, and encrypt the file again',
    };
  if (own !== namespace)
    return {
      message:
        typeof own === "string"
          ? `the Secret is in namespace ${own}, but the workload is in namespace ${namespace}`
          : "the Secret has no namespace",
      fix: `set metadata.namespace: ${namespace} in the file`,
    };
  const open = [data, stringData].flatMap((map) => Object.entries(asMap(map))).find(([, value]) => !isEncrypted(value));
  return open === undefined
    ? null
    : { message: `the value of ${open[0]} is not encrypted`, fix: "do not commit the file; encrypt it again with sops" };
}

/** Whether a value is encrypted. SOPS does not encrypt an empty text. */
function isEncrypted(value: unknown): boolean {
  return value === "" || (typeof value === "string" && isCiphertext(value));
}

function missingRecipient(path: string, found: readonly string[], environment: Environment): Problem | null {
  const { age } = recipientsOf(environment);
  if (age.length === 0)
    return {
      message: "the file is encrypted, but the spec names no age key of the cluster",
      fix: `run meshops identity keygen ${environment.metadata.name} --write`,
    };
  const missing = age.find((recipient) => !found.includes(recipient));
  return missing === undefined
    ? null
    : {
        message: `the cluster cannot decrypt the file: it is not encrypted to ${missing}`,
        fix: `run meshops secrets updatekeys ${path}, after you added the recipient to the rule in .sops.yaml`,
      };
}
