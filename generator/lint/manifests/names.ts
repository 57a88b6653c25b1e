import type { Manifest } from "../../kubernetes/read.ts";

/** Returns the different names of the first objects, for the fix of a finding. */
export function firstNames(objects: readonly Manifest[]): string {
  return [...new Set(objects.map(({ name }) => name))].slice(0, 6).join(", ");
}

/** Returns the file of an object, for a finding about an object in another file; otherwise, an empty text. */
export function inFile({ source: { file } }: Manifest, other: Manifest): string {
  return file === other.source.file ? "" : ` in ${file}`;
}
