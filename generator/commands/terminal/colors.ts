import pc from "picocolors";
import type { Colors } from "picocolors/types.js";

/** Colours for a stream: only on a terminal, and never with NO_COLOR. */
export function colorsFor(stream: { readonly isTTY?: boolean | undefined }): Colors {
  const refused = process.env["NO_COLOR"] !== undefined && process.env["NO_COLOR"] !== "";
  return pc.createColors(!refused && (stream.isTTY === true || process.env["FORCE_COLOR"] === "1"));
}
