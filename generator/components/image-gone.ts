import type { RuleInfo } from "../diagnostics/rule-info.ts";

/** An image that can no longer be pulled; the same rule reads specs and manifests. */
export const imageGone: RuleInfo = {
  code: "image-gone",
  severity: "error",
  title: "An image that no longer pulls",
  why: "Its publisher took it down or moved it. Nodes that still hold it hide that until a pod lands on a new one.",
  fix: "Use the image that the finding suggests, or a copy in a registry of your own (`meshops images <env> --mirror`).",
};
