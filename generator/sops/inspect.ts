import { isScalar } from "yaml";
import { SopsError } from "./error.ts";
import type { Format } from "./leaf.ts";
import { type Metadata, readMetadata } from "./metadata.ts";
import { parseTree, type Tree } from "./tree.ts";

/** The format of a file, by its name. */
export function formatOf(path: string): Format {
  return path.endsWith(".json") ? "json" : "yaml";
}

/**
 * The metadata of an encrypted file, without decrypting anything.
 *
 * @throws SopsError
 */
export function inspectFile(text: string, format: Format = "yaml"): Metadata {
  return metadataOf(parseTree(text, format));
}

/**
 * What a file says without any key: its metadata, and everything else as texts, encrypted where it is.
 *
 * @throws SopsError
 */
export function openFile(text: string): { readonly metadata: Metadata; readonly plain: Readonly<Record<string, unknown>> } {
  const tree = parseTree(text, "yaml");
  const { sops: _, ...plain } = tree.root.toJS(tree.document) as Record<string, unknown>;
  return { metadata: metadataOf(tree), plain };
}

/** @throws SopsError (not-encrypted) where there is none */
export function metadataOf(tree: Tree): Metadata {
  const node = sopsNode(tree);
  if (node === undefined) throw new SopsError("not-encrypted", "the file is not encrypted: it has no key `sops`");
  return readMetadata(node);
}

/** The plain value under `sops`. Its texts stay texts: the schema makes nothing else of them. */
export function sopsNode({ root, document }: Tree): unknown {
  const pair = root.items.find(({ key }) => isScalar(key) && key.value === "sops");
  if (pair === undefined) return undefined;
  const value = pair.value as { toJS?(document: unknown): unknown } | null;
  return value?.toJS?.(document) ?? null;
}
