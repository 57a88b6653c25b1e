import { type Document, isSeq } from "yaml";
import { depthLimitOffset, maxDepth } from "../../diagnostics/limits.ts";
import { asYaml12, parseDocuments, plainValue } from "../../kubernetes/documents.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { asMap, isMap } from "../../system/data.ts";
import { lowerFirst } from "../../system/text.ts";
import type { Result } from "./result.ts";

/**
 * A ResourceList, which an orchestrator such as kustomize passes to a KRM function on stdin (KRM Functions
 * Specification v1).
 */
export interface ResourceList {
  readonly text: string;
  /**
   * The document that was parsed from `text`. Edits use the positions in this document to change only parts of `text`.
   */
  readonly document: Document.Parsed;
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly functionConfig: Readonly<Record<string, unknown>>;
}

/**
 * API versions of a ResourceList: the current version, and earlier versions that older orchestrators send. The format
 * of the list is the same in all versions.
 */
const versions = ["config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1"];
const fields = new Set(["apiVersion", "kind", "items", "functionConfig", "results"]);

/** Parses a ResourceList. If the list is not valid, returns results that describe the errors. */
export function parseResourceList(text: string): ResourceList | Result[] {
  if (depthLimitOffset(text) !== null) return [refusal(`stdin is nested deeper than ${maxDepth} levels`)];
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

/**
 * Returns an error for each of the fields `apiVersion`, `kind` and `metadata.name` that an item does not have. An item
 * without these fields is not a Kubernetes object. `metadata.generateName` can replace `metadata.name`.
 */
function wrongItem(item: unknown, index: number): Result[] {
  const { apiVersion, kind, metadata } = asMap(item);
  const missing = [
    ...(typeof apiVersion === "string" && apiVersion !== "" ? [] : ["apiVersion"]),
    ...(typeof kind === "string" && kind !== "" ? [] : ["kind"]),
    ...(typeof (at(metadata, "name") ?? at(metadata, "generateName")) === "string" ? [] : ["metadata.name"]),
  ];
  // Objects of kustomize itself, such as a Kustomization, do not need `metadata.name`. The list can contain a
  // Kustomization if an orchestrator reads a folder with a kustomization.yaml.
  const named = missing.filter(
    (field) => field !== "metadata.name" || !String(apiVersion).startsWith("kustomize.config.k8s.io/"),
  );
  return named.map((field) => refusal(`item ${index} is not a Kubernetes object: ${field} is missing`));
}

/**
 * Returns a result that reports an error in the ResourceList itself. The result has no `field`, because `field`
 * requires a `resourceRef`, and a ResourceList is not a resource.
 */
function refusal(message: string): Result {
  return { message, severity: "error" };
}

function kindOf(value: unknown): string {
  const kind = at(value, "kind");
  return kind === undefined ? "an object without a kind" : `a ${String(kind)}`;
}

/**
 * Returns the annotations that specify the file path of an object and the index of the object in this file. The path
 * and the index are each in two annotations: the annotation that the specification defines, and the older annotation
 * that some tools still use.
 */
export function placed(path: string, index: number): Readonly<Record<string, string>> {
  return {
    "config.kubernetes.io/index": String(index),
    "config.kubernetes.io/path": path,
    "internal.config.kubernetes.io/index": String(index),
    "internal.config.kubernetes.io/path": path,
  };
}
