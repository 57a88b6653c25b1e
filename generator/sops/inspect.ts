import { isScalar } from "yaml";
import { SopsError } from "./error.ts";
import { type Metadata, readMetadata } from "./metadata.ts";
import { parseTree, type Tree } from "./tree.ts";
import type { Format } from "./values.ts";

/** Returns `json` if the name of a file ends in `.json`, otherwise `yaml`. */
export function formatOf(path: string): Format {
  return path.endsWith(".json") ? "json" : "yaml";
}

/**
 * Reads the metadata of an encrypted file. Does not decrypt the file.
 *
 * @throws SopsError
 */
export function inspectFile(text: string, format: Format = "yaml"): Metadata {
  return metadataOf(parseTree(text, format));
}

/**
 * Reads a file without a key. Returns the metadata and the rest of the content. In the content, encrypted values remain
 * ciphertext.
 *
 * @throws SopsError
 */
export function openFile(text: string): { readonly metadata: Metadata; readonly plain: Readonly<Record<string, unknown>> } {
  const tree = parseTree(text, "yaml");
  const { sops: _, ...plain } = tree.root.toJS(tree.document) as Record<string, unknown>;
  return { metadata: metadataOf(tree), plain };
}

/**
 * Returns the metadata of a parsed file.
 *
 * @throws SopsError (not-encrypted) if the file has no metadata
 */
export function metadataOf(tree: Tree): Metadata {
  const node = sopsNode(tree);
  if (node === undefined)
    throw new SopsError("not-encrypted", "the file is not encrypted: the top-level field `sops` is missing");
  return readMetadata(node);
}

/**
 * Returns the value of the key `sops` as plain data. Returns undefined if the key is missing. All scalars in the value
 * are strings, because files are parsed with the schema `failsafe`.
 */
export function sopsNode({ root, document }: Tree): unknown {
  const pair = root.items.find(({ key }) => isScalar(key) && key.value === "sops");
  if (pair === undefined) return undefined;
  const value = pair.value as { toJS?(document: unknown): unknown } | null;
  return value?.toJS?.(document) ?? null;
}
