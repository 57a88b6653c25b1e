import { initialNamespaces } from "../../catalog/well-known.ts";
import type { StringMap } from "../../kubernetes/object.ts";
import { declaredAnnotations } from "../../mesh/namespace-settings.ts";
import type { PodSet } from "../../mesh/pod-set.ts";
import type { Environment, Workload } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import type { Delivery, NamespaceSpec, Release } from "../component.ts";
import { fluxName, workloadId } from "../names.ts";
import { podSecurity } from "../namespaces/pod-security.ts";

/** Returns how a workload is delivered: as a chart, as a folder of the repository, or by another tool. */
export function deliveryOf(key: string, { source = {} }: Pick<Workload, "source">): Delivery {
  const { chart, oci, path } = source;
  if (chart !== undefined) {
    const { repository: url, name, version, releaseName = key } = chart;
    return chartOfUser({ name: releaseName, repository: { name: fluxName(workloadId(key)), url }, chart: name, version });
  }
  if (oci !== undefined) {
    const { url, version, digest = null, releaseName = key } = oci;
    const name = url.slice(url.lastIndexOf("/") + 1);
    return chartOfUser({ name: releaseName, repository: { oci: url, digest }, chart: name, version });
  }
  return path === undefined ? { kind: "none", podsIn: null } : { kind: "folder", path };
}

/**
 * Returns the delivery of a chart. The release has no values: `withOverrides` adds the values from the spec to this
 * release.
 */
function chartOfUser(release: Pick<Release, "name" | "repository" | "chart" | "version">): Delivery {
  return { kind: "chart", base: null, release: { ...release, clusterScoped: false, values: {}, ofUser: true } };
}

/**
 * Returns a list with the namespace that meshops creates for a workload. Returns an empty list if another tool delivers
 * the workload or manages the namespace, or if the namespace exists in every cluster. Omits labels that
 * `spec.namespaces` sets for the namespace.
 */
export function namespacesOf(workload: Workload, sets: readonly PodSet[], environment: Environment): NamespaceSpec[] {
  const { namespace } = workload;
  const declared = environment.spec.namespaces[namespace];
  if (!deliversWorkload(workload) || declared?.create === false || initialNamespaces.includes(namespace)) return [];
  const meshed = sets.some(({ inject }) => inject !== "disabled");
  const labels = Object.entries(meshed ? podSecurity(environment) : {}).filter(([key]) => declared?.labels[key] === undefined);
  return [{ name: namespace, labels: Object.fromEntries(labels) }];
}

/**
 * Returns the annotations that the spec declares for a namespace with pods. Returns null if meshops does not create the
 * namespace, and the spec does not declare whether proxies are injected in the namespace. If meshops creates a
 * namespace only for a workload, the namespace has no annotations.
 */
export function declaredAnnotationsOf(namespace: string, { spec: { namespaces, workloads } }: Environment): StringMap | null {
  const declared = namespaces[namespace];
  if (declared !== undefined) return declaredAnnotations(declared);
  const created = Object.values(workloads).some((each) => each.namespace === namespace && deliversWorkload(each));
  return created ? {} : null;
}
