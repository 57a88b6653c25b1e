import type { Manifest } from "../../kubernetes/read.ts";

/** Whether one of the objects shows that the cluster uses Linkerd: a kind of Linkerd, or the word linkerd in a value. */
export function mentionLinkerd(objects: readonly Manifest[]): boolean {
  return objects.some(({ apiVersion, value }) => apiVersion.includes("linkerd.io") || /linkerd/.test(JSON.stringify(value)));
}
