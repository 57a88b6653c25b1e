import { join } from "node:path";
import type { GrpcService } from "../catalog/grpc.ts";
import type { Input } from "../components/component.ts";
import { readProto } from "../components/workloads/proto.ts";
import { type Diagnostic, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import { readWorkloadSecrets } from "../identity/workload-secrets.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { readIfExists } from "../system/files.ts";

/** The content of the files to which an environment's workloads refer, and the findings about these files. */
export interface WorkloadFiles extends Required<Pick<Input, "encryptedFiles" | "grpcServices">> {
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the SOPS files and the .proto files of an environment's workloads. Never decrypts anything. */
export function readWorkloadFiles(root: string, environment: Environment): WorkloadFiles {
  const { files: encryptedFiles, diagnostics: ofSecrets } = readWorkloadSecrets(root, environment);
  const protos = protoPaths(environment).map((path) => ({ path, ...readProtoFile(root, path) }));
  return {
    encryptedFiles,
    grpcServices: new Map(protos.map(({ path, services }): [string, readonly GrpcService[]] => [path, services])),
    diagnostics: [...ofSecrets, ...protos.flatMap(({ diagnostics }) => diagnostics)],
  };
}

/**
 * Returns the paths of the SOPS files and the .proto files to which an environment's workloads refer. The content of
 * these files affects the bundle.
 */
export function workloadFilePaths(environment: Environment): string[] {
  const encrypted = Object.values(environment.spec.workloads).flatMap(({ secrets }) => secrets);
  return [...encrypted, ...protoPaths(environment)];
}

function protoPaths({ spec: { workloads } }: Environment): string[] {
  const paths = Object.values(workloads).flatMap(({ pods }) => Object.values(pods).flatMap(({ routes }) => routes?.proto ?? []));
  return [...new Set(paths)];
}

/**
 * Reads a .proto file of the repository. Returns the gRPC services in the file, and the findings about the file. If the
 * file does not exist, returns no services and the finding `proto-missing`.
 */
function readProtoFile(root: string, path: string): ReturnType<typeof readProto> {
  const text = readIfExists(join(root, path));
  if (text !== null) return readProto(path, text);
  const message = "the file does not exist, but the routes of a workload refer to this file";
  return {
    services: [],
    diagnostics: [
      fileDiagnostic(path, {
        code: "proto-missing",
        message,
        fix: "correct the field proto in the routes of the workload, or create the file",
      }),
    ],
  };
}
