import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { isMap } from "../../../system/data.ts";
import type { ClusterReader } from "../../connection.ts";
import type { StoredRelease } from "./stored-release.ts";

/** A custom resource that differs from its Helm release. */
export interface Drift {
  readonly release: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Fields that differ from the Helm release; empty if the object does not exist. */
  readonly fields: readonly FieldDrift[];
}

interface FieldDrift {
  readonly path: string;
  readonly wanted: unknown;
  readonly found: unknown;
}

/**
 * Returns the custom resources of a Helm release that differ from the applied manifest. For custom resources, Helm 3
 * computes a patch from the old and the new manifest and ignores the live object (helm 3.22, pkg/kube/client.go,
 * createPatch), so Helm does not revert manual changes. Helm creates missing objects again. For built-in kinds, Helm
 * computes a three-way patch, which reverts manual changes.
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
  const fields = live === null ? [] : fieldDrift(object, live);
  return live !== null && fields.length === 0 ? null : { release: release.name, kind, namespace, name: metadata.name, fields };
}

/**
 * Whether a CRD defines the kinds of an API group. CRDs also define the Gateway API, although its group ends in
 * `k8s.io`.
 */
function isCustom(apiVersion: string): boolean {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return group.includes(".") && (!group.endsWith(".k8s.io") || group.startsWith("gateway."));
}

/**
 * Returns the fields of a manifest whose values differ in the live object. Ignores fields that the manifest does not
 * set, because their values may be defaults.
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

function* differences(wanted: unknown, found: unknown, path: string): Iterable<FieldDrift> {
  if (isMap(wanted) && isMap(found)) {
    for (const [key, value] of Object.entries(wanted))
      if (value !== null) yield* differences(value, found[key], path === "" ? key : `${path}.${key}`);
  } else if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    for (const [index, value] of wanted.entries()) yield* differences(value, found[index], `${path}[${index}]`);
  } else if (wanted !== found && !(isEmpty(wanted) && found === undefined)) yield { path, wanted, found };
}

/**
 * Whether a value is an empty map or list. An empty map or list is equal to a missing field, because the API server
 * drops some empty values.
 */
function isEmpty(value: unknown): boolean {
  return (isMap(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0);
}
