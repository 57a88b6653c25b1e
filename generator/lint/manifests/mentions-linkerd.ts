import type { Manifest } from "../../kubernetes/read.ts";

/**
 * Whether at least one object shows that the cluster uses Linkerd. Such an object has an API group of Linkerd, or
 * contains the text `linkerd`.
 */
export function mentionLinkerd(objects: readonly Manifest[]): boolean {
  return objects.some(({ apiVersion, value }) => apiVersion.includes("linkerd.io") || /linkerd/.test(JSON.stringify(value)));
}
