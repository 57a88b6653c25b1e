import type { AnnotationFormat } from "../catalog/linkerd-annotations.ts";
import { alternatives } from "../system/text.ts";

/** Values that Go's strconv.ParseBool accepts. */
export const booleans: readonly string[] = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];

export const patterns: Readonly<Record<string, { readonly pattern: RegExp; readonly expected: string }>> = {
  "go-duration": { pattern: /^(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/, expected: "a duration such as 500ms, 10s or 1m30s" },
  duration: { pattern: /^(0|\d+(ms|s|m|h|d))$/, expected: "a whole number with a unit: ms, s, m, h or d" },
  quantity: { pattern: /^\d+(\.\d+)?([eE][+-]?\d+|[mkKMGTPE]|[KMGTPE]i)?$/, expected: "a quantity such as 100m or 64Mi" },
  integer: { pattern: /^\d+$/, expected: "a whole number" },
  number: { pattern: /^\d+(\.\d+)?$/, expected: "a number" },
};

/**
 * Returns null if Linkerd accepts the value of an annotation, or if the value contains a placeholder that another
 * program replaces (`${…}`, `{{…}}`). Otherwise, returns a description of the values that Linkerd accepts.
 */
export function rejectedValue(format: AnnotationFormat, value: string): string | null {
  if (/\$\{|\{\{/.test(value) || format === "text") return null;
  if (format === "switch") return oneOf(["enabled", "disabled"], value);
  if (format === "boolean") return booleans.includes(value) ? null : "true or false";
  if (format === "port") return isPort(value) ? null : "a port number from 1 to 65535";
  if (format === "ports" || format === "named-ports") return rejectedPorts(value, format === "named-ports");
  if (format === "http-status-list")
    return value.split(",").every(isHttpCondition)
      ? null
      : "5xx, gateway-error, status codes or ranges such as 500-504; separate multiple values with commas, without spaces";
  if (typeof format === "string") {
    const known = patterns[format];
    return known === undefined || known.pattern.test(value.trim()) ? null : known.expected;
  }
  if ("list" in format) {
    const wrong = value.split(",").find((each) => !format.list.includes(each.toLowerCase()));
    return wrong === undefined ? null : `${alternatives(format.list)}; separate multiple values with commas, without spaces`;
  }
  return value === "" ? null : oneOf(format, value);
}

function oneOf(values: readonly string[], value: string): string | null {
  return values.includes(value) ? null : alternatives(values);
}

/** @param named whether Linkerd accepts names of container ports in this annotation (linkerd2, pkg/util/parsing.go) */
function rejectedPorts(value: string, named: boolean): string | null {
  const parts = value
    .replace(/,$/, "")
    .split(",")
    .map((part) => part.trim());
  const wrong =
    value.trim() === ""
      ? undefined
      : parts.find((part) => !isRange(part) && !(named && /^(?=.*[a-z])[a-z0-9-]{1,15}$/.test(part)));
  if (wrong === undefined) return null;
  return `port numbers or ranges from 1 to 65535${named ? ", or names of container ports" : ""}, separated by commas; "${wrong}" is not a valid entry`;
}

function isRange(part: string): boolean {
  const [from = "", to = from, ...more] = part.split("-");
  return more.length === 0 && isPort(from) && isPort(to) && Number(from) <= Number(to);
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function isHttpCondition(text: string): boolean {
  if (/^(5xx|gateway-error)$/i.test(text)) return true;
  const [from = "", to = from, ...more] = text.split("-");
  const isStatus = (code: string): boolean => /^[1-5]\d\d$/.test(code);
  return more.length === 0 && isStatus(from) && isStatus(to) && from <= to;
}
