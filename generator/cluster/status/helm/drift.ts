import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { at, listAt } from "../../../kubernetes/object-fields.ts";
import { asMap, isMap } from "../../../system/data.ts";
import { type ClusterReader, orNull } from "../../connection.ts";
import type { StoredRelease } from "./stored-release.ts";

/** A custom resource that differs from its Helm release. */
export interface Drift {
  readonly release: string;
  readonly kind: string;
  /** API group. */
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  /** Fields that differ from the Helm release; empty if the object does not exist. */
  readonly fields: readonly FieldDrift[];
}

interface FieldDrift {
  readonly path: string;
  /** Undefined if the Helm release does not set the field. */
  readonly wanted: unknown;
  readonly found: unknown;
}

/**
 * Returns the custom resources of a Helm release whose state in the cluster differs from the manifest that Helm
 * applied. Helm 3 does not revert manual changes of custom resources: Helm computes a patch from the old and the new
 * manifest, and ignores the live object (helm 3.22, pkg/kube/client.go, createPatch). If a custom resource is missing,
 * Helm creates the object again. For built-in kinds, Helm computes a three-way patch, which reverts manual changes.
 */
export async function customDrift(cluster: ClusterReader, release: StoredRelease): Promise<Drift[]> {
  const custom = release.objects.filter(({ apiVersion }) => isCustom(apiVersion));
  const found = await Promise.all(custom.map((object) => driftOf(cluster, release, object)));
  return found.flatMap((drift) => drift ?? []);
}

async function driftOf(cluster: ClusterReader, release: StoredRelease, object: KubernetesObject): Promise<Drift | null> {
  const { apiVersion, kind, metadata } = object;
  const namespace = metadata.namespace ?? release.namespace;
  const live = await cluster.get(apiVersion, kind, metadata.name, namespace);
  const fields = live === null ? [] : [...fieldDrift(object, live), ...(await addedFields(cluster, object, live))];
  const [group = ""] = apiVersion.split("/");
  return live !== null && fields.length === 0
    ? null
    : { release: release.name, kind, group, namespace, name: metadata.name, fields };
}

/**
 * Whether CRDs define the kinds of an API group. The Gateway API is defined by CRDs, although the name of its group
 * ends in `k8s.io`.
 */
function isCustom(apiVersion: string): boolean {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return group.includes(".") && (!group.endsWith(".k8s.io") || group.startsWith("gateway."));
}

/**
 * Returns the fields whose value in a manifest differs from the value in the live object. For fields that only the live
 * object contains, see `addedFields`.
 */
function fieldDrift(
  { kind: _kind, apiVersion: _version, status: _status, ...wanted }: KubernetesObject,
  live: KubernetesObject,
): FieldDrift[] {
  const { name: _name, namespace: _namespace, labels = {}, ...metadata } = wanted.metadata;
  // Helm always sets this label to `Helm`, regardless of the manifest (pkg/action/validate.go, setMetadataVisitor).
  const { "app.kubernetes.io/managed-by": _managedBy, ...others } = labels;
  return [...differences({ ...wanted, metadata: { ...metadata, labels: others } }, live, "")];
}

/**
 * Returns the fields of the live object's spec that meet three conditions: the Helm release does not set the field, a
 * program other than Helm has set the field, and the value is not the default of the CRD.
 */
async function addedFields(cluster: ClusterReader, wanted: KubernetesObject, live: KubernetesObject): Promise<FieldDrift[]> {
  const others = listAt<ManagedFields>(live, "metadata", "managedFields").filter(
    ({ manager, subresource }) => manager !== "helm" && subresource === undefined,
  );
  const paths = others.flatMap(({ fieldsV1 }) => [...leaves(at(fieldsV1, "f:spec"), ["spec"])]);
  const added = paths.filter((path) => at(wanted, ...path) === undefined && at(live, ...path) !== undefined);
  if (added.length === 0) return [];
  const schema = await schemaOf(cluster, live);
  return added
    .filter((path) => at(live, ...path) !== at(schema, ...path.flatMap((step) => ["properties", step]), "_default"))
    .map((path) => ({ path: path.join("."), wanted: undefined, found: at(live, ...path) }));
}

/**
 * Returns the schema that a CRD defines for the kind and API version of an object. Returns undefined if the user is not
 * allowed to read CRDs. In a schema, the Kubernetes client renames the field `default` to `_default`
 * (@kubernetes/client-node, V1JSONSchemaProps).
 */
async function schemaOf(cluster: ClusterReader, { apiVersion, kind }: KubernetesObject): Promise<unknown> {
  const [group, version] = apiVersion.split("/");
  const crds = (await orNull(cluster.list("apiextensions.k8s.io/v1", "CustomResourceDefinition"))) ?? [];
  const crd = crds.find(({ spec }) => at(spec, "group") === group && at(spec, "names", "kind") === kind);
  const served = listAt<{ readonly name: string }>(crd, "spec", "versions").find(({ name }) => name === version);
  return at(served, "schema", "openAPIV3Schema");
}

/** An entry of `metadata.managedFields` (Kubernetes, "Server-Side Apply"). */
interface ManagedFields {
  readonly manager: string;
  readonly subresource?: string;
  readonly fieldsV1: unknown;
}

/**
 * Yields the path of each field in a value of `fieldsV1`. A list counts as one field: the fields in its items are not
 * yielded.
 */
function* leaves(fields: unknown, above: readonly string[]): Iterable<readonly string[]> {
  const inner = Object.entries(asMap(fields)).filter(([key]) => key.startsWith("f:"));
  if (inner.length === 0) yield above;
  for (const [key, value] of inner) yield* leaves(value, [...above, key.slice(2)]);
}

function* differences(wanted: unknown, found: unknown, path: string): Iterable<FieldDrift> {
  if (isMap(wanted) && isMap(found)) {
    for (const [key, value] of Object.entries(wanted))
      if (value !== null) yield* differences(value, found[key], path === "" ? key : `${path}.${key}`);
  } else if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    for (const [index, value] of wanted.entries()) yield* differences(value, found[index], `${path}[${index}]`);
  } else if (wanted !== found && !(isEmpty(wanted) && found === undefined)) yield { path, wanted, found };
}

/**
 * Whether a value is an empty map or an empty list. Such a value is considered equal to a missing field, because the
 * API server removes some empty values.
 */
function isEmpty(value: unknown): boolean {
  return (isMap(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0);
}
