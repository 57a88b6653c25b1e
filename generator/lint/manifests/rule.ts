import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Path } from "../../diagnostics/source.ts";
import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";

/** A finding of a rule, about the value at `path` of `manifest`. */
export interface ManifestFinding {
  readonly manifest: Manifest;
  readonly path: Path;
  /** Part of the entry at `path` that the finding marks; default: the value. */
  readonly part?: "key";
  readonly message: string;
  readonly fix: string;
  /**
   * If true, the finding is a warning, although the severity of the rule is `error`. Reasons are that the problem does
   * little harm in this case, or that the objects do not contain enough information to be certain.
   */
  readonly mild?: boolean;
}

/**
 * A rule about Kubernetes objects. The rule checks only the given objects, which might be a part of the applied
 * objects.
 */
export interface ManifestRule extends RuleInfo {
  /** @param release the Linkerd release of the cluster; null if it is not known */
  readonly check: (stream: ManifestSet, release: LinkerdRelease | null) => Iterable<ManifestFinding>;
}
