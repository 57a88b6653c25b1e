import type { AnnotationFormat } from "../../catalog/linkerd-annotations.ts";
import { booleans, patterns } from "../../mesh/annotation-values.ts";

/**
 * Returns a CEL condition that is true if Linkerd accepts `value` for an annotation with the given format. Returns null
 * if Linkerd accepts every value, or if CEL cannot express the format. For a list of ports, the condition checks only
 * the syntax.
 *
 * @param value CEL expression that returns the value of the annotation as a string
 */
export function acceptedIn(format: AnnotationFormat, value: string): string | null {
  if (format === "text" || format === "http-status-list") return null;
  if (format === "switch") return `${value} in ${list(["enabled", "disabled"])}`;
  if (format === "boolean") return `${value} in ${list(booleans)}`;
  if (format === "port") return `${value}.matches(${raw(/^\d{1,5}$/)}) && int(${value}) >= 1 && int(${value}) <= 65535`;
  if (format === "ports") return `${value}.matches(${raw(/^(\s*\d+(-\d+)?\s*(,|$))*$/)})`;
  if (format === "named-ports") return `${value}.matches(${raw(/^(\s*[a-z0-9-]+\s*(,|$))*$/)})`;
  if (typeof format === "string") {
    const known = patterns[format];
    return known === undefined ? null : `${value}.trim().matches(${raw(known.pattern)})`;
  }
  if ("list" in format) return `${value}.split(',').all(part, part.lowerAscii() in ${list(format.list)})`;
  return `${value} in ${list(["", ...format])}`;
}

/** Returns a list of strings in CEL. */
export function list(values: readonly string[]): string {
  return `[${values.map((value) => `'${value}'`).join(", ")}]`;
}

/**
 * Returns a pattern as a raw string in CEL. CEL uses RE2. RE2 and JavaScript interpret the patterns of the catalog in
 * the same way.
 */
function raw(pattern: RegExp): string {
  return `r'${pattern.source.replaceAll("\\/", "/")}'`;
}
