import { asMap } from "../../system/data.ts";

/** Returns the path and index of an object from its annotations. Returns null if the annotations contain no path. */
export function placeOf(object: Readonly<Record<string, unknown>>): { path: string; index: number } | null {
  const annotations = asMap(asMap(object["metadata"])["annotations"]);
  const path = annotations["internal.config.kubernetes.io/path"] ?? annotations["config.kubernetes.io/path"];
  const index = annotations["internal.config.kubernetes.io/index"] ?? annotations["config.kubernetes.io/index"] ?? "0";
  return typeof path === "string" && path !== "" ? { path, index: Number(index) } : null;
}
