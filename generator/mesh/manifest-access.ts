import { defaultOpaquePorts } from "../catalog/linkerd.ts";
import { meshedLabel, portKeys, proxyContainer } from "../catalog/well-known.ts";
import { ManifestSet } from "../kubernetes/manifest-set.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Manifest } from "../kubernetes/read.ts";
import { containersOf, serviceAccountOf, tcpPortsOf, type Workload } from "../kubernetes/workload.ts";
import { listOf } from "../system/data.ts";
import { type AccessCell, type AccessPods, accessCells } from "./access-cells.ts";
import type { Installation } from "./attempt.ts";
import { proxyAnnotations, workloadIsMeshed } from "./meshed.ts";
import { isProxyContainer } from "./pod.ts";
import { policyKinds } from "./policy-kinds.ts";

/**
 * Returns whether each client can connect to each port of the workloads in manifests. Evaluates only the policies in
 * these manifests. Treats objects without a namespace as objects of the namespace `default`. If the manifests do not
 * show whether a workload is meshed, the function assumes that the workload is meshed.
 */
export function manifestAccess(manifests: readonly Manifest[], installation: Installation): AccessCell[] {
  const stream = new ManifestSet(manifests);
  const objects = policiesIn(stream);
  const all = stream.workloads.map((workload) => podsOf(workload, stream));
  const titles = all.map(({ title }) => title);
  const distinct = all.map((pods, index) => {
    const kind = stream.workloads[index]?.manifest.kind ?? "";
    return titles.indexOf(pods.title) === titles.lastIndexOf(pods.title) ? pods : { ...pods, title: `${pods.title} (${kind})` };
  });
  return accessCells(distinct, objects, installation);
}

/** Returns the policies of a stream, in the form that `evaluate` needs. Every returned policy has a namespace. */
export function policiesIn(stream: ManifestSet): KubernetesObject[] {
  const manifests = policyKinds.flatMap(({ group, kind }) => stream.ofKind(group, kind));
  return manifests.map(({ value, namespace }) => {
    const { metadata, ...rest } = value as unknown as KubernetesObject;
    return { ...rest, metadata: { ...metadata, namespace: placeOf(namespace) } };
  });
}

function placeOf(namespace: string): string {
  return namespace === "" ? "default" : namespace;
}

/** Returns a pod of a workload, as it would exist after injection. */
export function podOf(workload: Workload, stream: ManifestSet): KubernetesObject {
  return podsOf(workload, stream).pod;
}

function podsOf(workload: Workload, stream: ManifestSet): AccessPods {
  const { manifest, pod, labels: own } = workload;
  const namespace = placeOf(manifest.namespace);
  const meshed = workloadIsMeshed(workload, stream) !== "no";
  const labels = { ...(own as Record<string, string>), ...(meshed ? { [meshedLabel]: "linkerd" } : {}) };
  const account = { namespace, name: serviceAccountOf(workload) };
  const containers = containersOf(workload).map(({ container }) => container);
  const ports = containers.flatMap(tcpPortsOf).map(({ port, name }) => ({ key: name ?? "port", port }));
  const settings = proxyAnnotations(workload, stream) as Record<string, string>;
  const proxy = meshed && !containers.some(isProxyContainer) ? [{ name: proxyContainer }] : [];
  return {
    title: `${namespace}/${manifest.name}`,
    from: {
      namespace,
      namespaceLabels: stream.namespaceLabels(namespace, manifest) as Record<string, string>,
      labels,
      identity: meshed ? account : null,
      skippedOutbound: String(settings[portKeys.skipOutbound] ?? ""),
    },
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: manifest.name,
        namespace,
        labels,
        annotations: { [portKeys.opaque]: defaultOpaquePorts, ...settings },
      },
      spec: { ...pod, containers: [...listOf(pod["containers"]), ...proxy] },
    } as unknown as KubernetesObject,
    ports,
    listed: [],
  };
}
