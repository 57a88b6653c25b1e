import protobuf from "protobufjs";
import type { GrpcMethod, GrpcService } from "../../catalog/grpc.ts";
import { type Diagnostic, fileDiagnostic } from "../../diagnostics/diagnostic.ts";
import { diagnosticAt } from "../../diagnostics/source.ts";

/** The gRPC services of a .proto file. */
export interface ProtoFile {
  /** Services in the order of the file; empty if the file could not be parsed. */
  readonly services: readonly GrpcService[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Maximum length of a .proto file in characters. The limit is necessary, because longer files take more time to parse.
 */
const maxLength = 8 * 1024 * 1024;

/**
 * Parses the services of a .proto file (proto2, proto3 or editions). Does not resolve types, so imported files are not
 * read. Pure function. If the text is not a valid .proto file, returns a finding at the line of the parse error.
 */
export function readProto(file: string, text: string): ProtoFile {
  if (text.length > maxLength) return failed(tooLarge(file));
  try {
    return read(file, text);
  } catch (error) {
    const simple = withoutGroups(text);
    try {
      if (simple !== text) return read(file, simple);
    } catch {
      // This error is ignored. The finding below contains the error for the original text.
    }
    return failed(syntaxError(file, text, (error as Error).message));
  }
}

function read(file: string, text: string): ProtoFile {
  const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
  const services = servicesIn(root);
  return services.length === 0 ? failed(withoutService(file)) : { services, diagnostics: [] };
}

/**
 * Replaces parts of a proto2 file with spaces, because the parser does not support these parts: groups in a oneof,
 * groups with options, and reserved negative numbers. Services do not contain such parts.
 */
function withoutGroups(text: string): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, " ");
  const group = /\b(?:(?:optional|required|repeated)\s+)?group\s+\w+\s*=\s*\d+\s*(?:\[[^\]]*\]\s*)?\{[^{}]*\}/g;
  return text.replace(group, blank).replace(/\breserved\s+-[^;]*;/g, blank);
}

function failed(diagnostic: Diagnostic): ProtoFile {
  return { services: [], diagnostics: [diagnostic] };
}

/**
 * Returns the services in a package and its subpackages. Does not search message types, because a message type cannot
 * contain services.
 */
function servicesIn(namespace: protobuf.NamespaceBase): GrpcService[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Service)
      return [{ name: nested.fullName.replace(/^\./, ""), methods: nested.methodsArray.map(methodOf) }];
    return nested instanceof protobuf.Namespace && !(nested instanceof protobuf.Type) ? servicesIn(nested) : [];
  });
}

function methodOf({ name, options, requestStream, responseStream }: protobuf.Method): GrpcMethod {
  const level: unknown = options?.["idempotency_level"] ?? options?.["(idempotency_level)"];
  return {
    name,
    streaming: requestStream === true || responseStream === true,
    idempotent: level === "IDEMPOTENT" || level === "NO_SIDE_EFFECTS",
  };
}

/**
 * Returns the finding for an error message of the parser. The message contains a line number and usually a quoted
 * token. The finding marks this token if it occurs exactly once in the line. Otherwise, the finding marks the whole
 * line.
 */
function syntaxError(file: string, text: string, message: string): Diagnostic {
  const [, what = message, lineText] = /^(.*?)(?: \(line (\d+)\))?$/s.exec(message) ?? [];
  const statement = { code: "proto-syntax", severity: "error", message: what, expected: null, fix: null } as const;
  if (lineText === undefined) return fileDiagnostic(file, statement);
  const lines = text.split("\n");
  const line = Math.min(Number(lineText), lines.length);
  const start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  const [, token = ""] = /'([^']+)'/.exec(what) ?? [];
  const shown = lines[line - 1] ?? "";
  const parts = token === "" ? [] : shown.split(token);
  const margin = shown.search(/\S|$/);
  const [offset, length] =
    parts.length === 2 ? [start + (parts[0]?.length ?? 0), token.length] : [start + margin, Math.max(1, shown.trim().length)];
  return diagnosticAt(file, text, { offset, length }, statement);
}

function withoutService(file: string): Diagnostic {
  const fix = "specify the file that contains `service … { rpc … }`; meshops does not read imported files";
  return fileDiagnostic(file, { code: "proto-without-service", message: "the file does not define a gRPC service", fix });
}

function tooLarge(file: string): Diagnostic {
  return fileDiagnostic(file, {
    code: "file-too-large",
    message: `the file is larger than ${maxLength / 1024 / 1024} MiB`,
    fix: null,
  });
}
