import { type Document, isSeq } from "yaml";
import { maxDepth, tooDeepAt } from "../../diagnostics/limits.ts";
import { asYaml12, parseDocuments, plainValue } from "../../kubernetes/documents.ts";
import { asMap, isMap } from "../../system/data.ts";
import { lowerFirst } from "../../system/text.ts";
import type { Result } from "./result.ts";

/** What orchestrators pass to functions (KRM Functions Specification v1). */
export interface ResourceList {
  readonly text: string;
  /** Parsed `text`. What is not edited is returned as written. */
  readonly document: Document.Parsed;
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly functionConfig: Readonly<Record<string, unknown>>;
}

/** Version that is spoken here, and those before it, which older orchestrators speak; their lists have the same form. */
const versions = ["config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1"];
const fields = new Set(["apiVersion", "kind", "items", "functionConfig", "results"]);

/** Reads a ResourceList; where it is none that a function may work on, what is wrong with it. */
export function parseResourceList(text: string): ResourceList | Result[] {
  if (tooDeepAt(text) !== null) return [refusal(`stdin is nested deeper than ${maxDepth} levels`)];
  const [document, second] = parseDocuments(text, asYaml12);
  if (document === undefined) return [refusal("stdin is empty: a ResourceList was expected")];
  if (second !== undefined) return [refusal("stdin holds more than one document: one ResourceList was expected")];
  const [error] = document.errors;
  if (error !== undefined) return [refusal(`stdin is no YAML: ${error.message}`)];
  const value = valueOrError(document, text);
  if (value instanceof Error) return [refusal(`stdin cannot be read: ${lowerFirst(value.message.split("\n")[0] ?? "")}`)];
  if (!isMap(value) || value["kind"] !== "ResourceList") return [refusal(`a ResourceList was expected, not ${kindOf(value)}`)];
  const { apiVersion, items, functionConfig } = value;
  if (!versions.includes(String(apiVersion)))
    return [refusal(`ResourceList ${String(apiVersion)} is not known, only ${versions[0]}`)];
  const unknown = Object.keys(value).filter((key) => !fields.has(key));
  if (unknown.length > 0) return unknown.map((key) => refusal(`a ResourceList has no field "${key}"`));
  if (items !== undefined && items !== null && !isSeq(document.get("items", true))) return [refusal("items is no list")];
  const list: unknown[] = Array.isArray(items) ? items : [];
  const wrong = list.flatMap((item, index) => wrongItem(item, index));
  if (wrong.length > 0) return wrong;
  if (!isMap(functionConfig)) return [refusal("functionConfig is missing: an Environment or a MeshInjection")];
  return { text, document, items: list.map(asMap), functionConfig };
}

function valueOrError(document: Document, text: string): unknown {
  try {
    return plainValue(document, text);
  } catch (error) {
    return error;
  }
}

/** Items are Kubernetes objects: what lacks the fields by which objects are told apart is none. */
function wrongItem(item: unknown, index: number): Result[] {
  const { apiVersion, kind, metadata } = asMap(item);
  const lacks = [
    ...(typeof apiVersion === "string" && apiVersion !== "" ? [] : ["apiVersion"]),
    ...(typeof kind === "string" && kind !== "" ? [] : ["kind"]),
    ...(typeof (asMap(metadata)["name"] ?? asMap(metadata)["generateName"]) === "string" ? [] : ["metadata.name"]),
  ];
  // kustomize's own files have no name, and may pass by with the rest of a folder.
  const named = lacks.filter((field) => field !== "metadata.name" || !String(apiVersion).startsWith("kustomize.config.k8s.io/"));
  return named.map((field) => refusal(`item ${index} is no Kubernetes object: it lacks ${field}`));
}

/** A list is no resource, so no field of one can be named (`field` goes with `resourceRef`). */
function refusal(message: string): Result {
  return { message, severity: "error" };
}

function kindOf(value: unknown): string {
  const kind = asMap(value)["kind"];
  return kind === undefined ? "something without a kind" : `a ${String(kind)}`;
}

/** Annotations that say where an object is to be written: the specification's, and the older ones that tools still read. */
export function placed(path: string, index: number): Readonly<Record<string, string>> {
  return {
    "config.kubernetes.io/index": String(index),
    "config.kubernetes.io/path": path,
    "internal.config.kubernetes.io/index": String(index),
    "internal.config.kubernetes.io/path": path,
  };
}
