import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Path } from "../../diagnostics/source.ts";
import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";

/** A finding of a rule, about the value at `path` of `manifest`. */
export interface ManifestFinding {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
  /**
   * Reports a warning although the severity of the rule is `error`: it does little harm here, or the objects do not
   * contain enough information to be certain.
   */
  readonly mild?: boolean;
}

/** A rule about any Kubernetes objects. It checks only the given objects, which may be a part of what is applied. */
export interface ManifestRule extends RuleInfo {
  /** @param release the Linkerd release of the cluster; null if it is not known */
  readonly check: (stream: ManifestSet, release: LinkerdRelease | null) => Iterable<ManifestFinding>;
}
