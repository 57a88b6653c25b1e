import { defaultOpaquePorts } from "../catalog/linkerd.ts";
import { injectKey, meshedLabel, portKeys, proxyContainer, proxyPrefix } from "../catalog/well-known.ts";
import type { JsonMap, KubernetesObject, StringMap } from "../kubernetes/object.ts";
import { listAt } from "../kubernetes/object-fields.ts";
import { asMap } from "../system/data.ts";
import { factsOf, isMeshed } from "./meshed.ts";
import type { PodSet } from "./pod-set.ts";

/**
 * Returns an example pod of a set, as it would exist after injection. The pod has labels that match the selector, a
 * proxy if the set is meshed, and the ports of the set as container ports.
 *
 * @param namespaceAnnotations annotations of the namespace, which the injector copies to the pod. Null if these
 *   annotations are not known. In this case, if the set inherits injection from the namespace, the returned pod has a
 *   proxy.
 */
export function describedPod(set: PodSet, namespaceAnnotations: StringMap | null): KubernetesObject {
  const meshed = isDescribedAsMeshed(set, namespaceAnnotations);
  const ports = Object.entries(set.ports);
  const list = (of: (port: PodSet["ports"][string]) => boolean): string =>
    ports
      .filter(([, port]) => of(port))
      .map(([, { port }]) => port)
      .join(",");
  const settings = Object.entries(set.proxy ?? {}).map(([key, value]) => [`${proxyPrefix}${key}`, value] as const);
  const inherited: StringMap = { ...namespaceAnnotations, ...Object.fromEntries(settings) };
  const opaque = list(({ protocol }) => protocol === "opaque");
  const skipped = list(({ skipsProxy }) => skipsProxy === true);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: set.name,
      namespace: set.namespace,
      labels: { ...selectedLabels(set.selector), ...(meshed ? { [meshedLabel]: "linkerd" } : {}) },
      annotations: {
        ...inherited,
        // If the pod has no annotation for opaque ports, the injector adds the annotation with Linkerd's default list.
        [portKeys.opaque]: [inherited[portKeys.opaque] ?? defaultOpaquePorts, opaque].filter(Boolean).join(","),
        ...(skipped === "" ? {} : { [portKeys.skipInbound]: skipped }),
      },
    },
    spec: {
      containers: [
        { name: "application", ports: ports.map(([name, { port }]) => ({ name, containerPort: port })) },
        ...(meshed ? [{ name: proxyContainer }] : []),
      ],
    },
  };
}

/** Whether the pods of a set have proxies, according to the field `inject` and the annotations of the namespace. */
export function isDescribedAsMeshed({ inject, namespace }: PodSet, namespaceAnnotations: StringMap | null): boolean {
  const metadata = namespaceAnnotations === null ? null : { labels: {}, annotations: namespaceAnnotations };
  const own = inject === "inherited" ? {} : { [injectKey]: inject };
  // The result is `unknown` if the set inherits injection from a namespace that is not known. In this case, assume that
  // the pods have proxies.
  return isMeshed(factsOf(own, {}, { name: namespace, metadata })) !== "no";
}

/** Returns labels that match a selector. */
function selectedLabels(selector: JsonMap): Record<string, string> {
  const expressions = listAt<{ key: string; operator: string; values?: string[] }>(selector, "matchExpressions");
  const chosen = expressions.flatMap(({ key, operator, values = [] }) =>
    operator === "In" || operator === "Exists" ? [[key, values[0] ?? "any"] as const] : [],
  );
  return { ...(asMap(selector["matchLabels"]) as Record<string, string>), ...Object.fromEntries(chosen) };
}
