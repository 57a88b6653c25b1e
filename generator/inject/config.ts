import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { capped, diagnosticAtPath, type Source } from "../diagnostics/source.ts";
import { at } from "../kubernetes/object-fields.ts";
import { explain, relevant } from "../spec/schema-errors.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { validateInjection } from "./validator.generated.ts";

/** A parsed MeshInjection, and the findings about this MeshInjection. */
export interface ReadInjection {
  /** The MeshInjection, in which omitted fields have their default values. Null if the MeshInjection has errors. */
  readonly injection: MeshInjection | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Validates a MeshInjection against its schema, and sets the default values of omitted fields. */
export function readInjection(source: Source): ReadInjection {
  if (source.document === null) return { injection: null, diagnostics: source.diagnostics };
  const value = structuredClone(source.value);
  const errors = validateInjection(value) ? [] : relevant(validateInjection.errors ?? []).map(explain);
  const found = capped(errors, ({ path, part, statement }) => diagnosticAtPath(source, path, part, statement));
  if (found.length > 0) return { injection: null, diagnostics: found };
  const injection = value as MeshInjection;
  const conflicts = contradictions(injection).map(({ key, port }) =>
    diagnosticAtPath(source, ["spec", key], "value", {
      code: "not-allowed",
      severity: "error",
      message: `port ${port} cannot be both opaque and skipped: a skipped port bypasses the proxy`,
      expected: null,
      fix: `remove ${port} from ${key}; connections to the opaque port then use mTLS`,
    }),
  );
  return { injection: conflicts.length > 0 ? null : injection, diagnostics: conflicts };
}

/** Whether the kind of a document is MeshInjection. */
export function isInjection(value: unknown): boolean {
  return at(value, "kind") === "MeshInjection";
}

function contradictions({ spec }: MeshInjection): { key: string; port: number }[] {
  return spec.skipInboundPorts
    .filter((port) => spec.opaquePorts.includes(port))
    .map((port) => ({ key: "skipInboundPorts", port }));
}
