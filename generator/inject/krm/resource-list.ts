import { type Document, isSeq } from "yaml";
import { maxDepth, tooDeepAt } from "../../diagnostics/limits.ts";
import { asYaml12, parseDocuments, plainValue } from "../../kubernetes/documents.ts";
import { asMap, isMap } from "../../system/data.ts";
import { lowerFirst } from "../../system/text.ts";
import type { Result } from "./result.ts";

/** Input that an orchestrator passes to a function (KRM Functions Specification v1). */
export interface ResourceList {
  readonly text: string;
  /** The parsed `text`. Unchanged parts are written exactly as they were read. */
  readonly document: Document.Parsed;
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly functionConfig: Readonly<Record<string, unknown>>;
}

/** The current API version, and earlier versions that older orchestrators send. All have the same list format. */
const versions = ["config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1"];
const fields = new Set(["apiVersion", "kind", "items", "functionConfig", "results"]);

/** Parses a ResourceList. If the list is not valid, returns results that describe the errors. */
export function parseResourceList(text: string): ResourceList | Result[] {
  if (tooDeepAt(text) !== null) return [refusal(`stdin is nested deeper than ${maxDepth} levels`)];
  const [document, second] = parseDocuments(text, asYaml12);
  if (document === undefined) return [refusal("stdin is empty; expected a ResourceList")];
  if (second !== undefined) return [refusal("stdin contains more than one document; expected one ResourceList")];
  const [error] = document.errors;
  if (error !== undefined) return [refusal(`stdin is not valid YAML: ${error.message}`)];
  const value = valueOrError(document, text);
  if (value instanceof Error) return [refusal(`stdin cannot be read: ${lowerFirst(value.message.split("\n")[0] ?? "")}`)];
  if (!isMap(value) || value["kind"] !== "ResourceList") return [refusal(`expected a ResourceList, not ${kindOf(value)}`)];
  const { apiVersion, items, functionConfig } = value;
  if (!versions.includes(String(apiVersion)))
    return [refusal(`ResourceList ${String(apiVersion)} is not supported; expected ${versions[0]}`)];
  const unknown = Object.keys(value).filter((key) => !fields.has(key));
  if (unknown.length > 0) return unknown.map((key) => refusal(`a ResourceList has no field "${key}"`));
  if (items !== undefined && items !== null && !isSeq(document.get("items", true)))
    return [refusal("in the ResourceList, the field items is not a list")];
  const list: unknown[] = Array.isArray(items) ? items : [];
  const wrong = list.flatMap((item, index) => wrongItem(item, index));
  if (wrong.length > 0) return wrong;
  if (!isMap(functionConfig)) return [refusal("functionConfig is missing; expected an Environment or a MeshInjection")];
  return { text, document, items: list.map(asMap), functionConfig };
}

function valueOrError(document: Document, text: string): unknown {
  try {
    return plainValue(document, text);
  } catch (error) {
    return error;
  }
}

/** Reports the identifying fields that an item lacks. An item without these fields is not a Kubernetes object. */
function wrongItem(item: unknown, index: number): Result[] {
  const { apiVersion, kind, metadata } = asMap(item);
  const missing = [
    ...(typeof apiVersion === "string" && apiVersion !== "" ? [] : ["apiVersion"]),
    ...(typeof kind === "string" && kind !== "" ? [] : ["kind"]),
    ...(typeof (asMap(metadata)["name"] ?? asMap(metadata)["generateName"]) === "string" ? [] : ["metadata.name"]),
  ];
  // Kustomize's own objects, such as a Kustomization, need no `metadata.name`. The list may contain such objects, because a
  // folder can contain a kustomization.yaml.
  const named = missing.filter(
    (field) => field !== "metadata.name" || !String(apiVersion).startsWith("kustomize.config.k8s.io/"),
  );
  return named.map((field) => refusal(`item ${index} is not a Kubernetes object: ${field} is missing`));
}

/**
 * Returns a result that reports an error in the list. The result has no `field`, because `field` requires a
 * `resourceRef`, and a list is not a resource.
 */
function refusal(message: string): Result {
  return { message, severity: "error" };
}

function kindOf(value: unknown): string {
  const kind = asMap(value)["kind"];
  return kind === undefined ? "an object without a kind" : `a ${String(kind)}`;
}

/**
 * Returns the annotations with an object's path and index: the annotations that the specification defines, and the
 * older annotations that some tools still use.
 */
export function placed(path: string, index: number): Readonly<Record<string, string>> {
  return {
    "config.kubernetes.io/index": String(index),
    "config.kubernetes.io/path": path,
    "internal.config.kubernetes.io/index": String(index),
    "internal.config.kubernetes.io/path": path,
  };
}
