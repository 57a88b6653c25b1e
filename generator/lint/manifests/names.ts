import type { Manifest } from "../../kubernetes/read.ts";

/** Returns up to six different names of objects, separated by commas, for the fix of a finding. */
export function firstNames(objects: readonly Manifest[]): string {
  return [...new Set(objects.map(({ name }) => name))].slice(0, 6).join(", ");
}

/** Returns the text ` in <file>` if an object is not in the same file as `other`. Otherwise, returns an empty text. */
export function inFile({ source: { file } }: Manifest, other: Manifest): string {
  return file === other.source.file ? "" : ` in ${file}`;
}
