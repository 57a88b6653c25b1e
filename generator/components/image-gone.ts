import type { RuleInfo } from "../diagnostics/rule-info.ts";

/** Rule for images that can no longer be pulled. It applies to specs and to manifests. */
export const imageGone: RuleInfo = {
  code: "image-gone",
  severity: "error",
  title: "An image can no longer be pulled",
  why: "The publisher has removed or moved the image. A pod with this image can start only on a node that has a cached copy of the image.",
  fix: "Use the image that the finding suggests. You can also copy that image to your own registry (`meshops images <env> --mirror`) and use the copy.",
};
