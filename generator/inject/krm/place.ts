import { mapAt } from "../../kubernetes/object-fields.ts";

/**
 * Returns the file path of an object and the index of the object in this file, which the annotations of the object
 * specify. Returns null if the annotations specify no path.
 */
export function placeOf(object: Readonly<Record<string, unknown>>): { path: string; index: number } | null {
  const annotations = mapAt(object, "metadata", "annotations");
  const path = annotations["internal.config.kubernetes.io/path"] ?? annotations["config.kubernetes.io/path"];
  const index = annotations["internal.config.kubernetes.io/index"] ?? annotations["config.kubernetes.io/index"] ?? "0";
  return typeof path === "string" && path !== "" ? { path, index: Number(index) } : null;
}
