import type { RuleInfo } from "../diagnostics/rule-info.ts";

/** Rule for images that can no longer be pulled. It applies to specs and to manifests. */
export const imageGone: RuleInfo = {
  code: "image-gone",
  severity: "error",
  title: "An image can no longer be pulled",
  why: "The publisher has removed or moved the image. Pods can still start on nodes with a cached copy of the image, but a pod cannot start on a node without a cached copy.",
  fix: "Use the image that the finding suggests. You can also copy that image to your own registry (`meshops images <env> --mirror`) and use the copy.",
};
