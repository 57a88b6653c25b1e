import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Path } from "../../diagnostics/source.ts";
import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";

/** A finding of a rule. The finding is about the value at `path` in `manifest`. */
export interface ManifestFinding {
  readonly manifest: Manifest;
  readonly path: Path;
  /** Part of the entry at `path` that the finding marks; default: the value. */
  readonly part?: "key";
  readonly message: string;
  readonly fix: string;
  /**
   * If true, the finding is a warning, although the severity of the rule is `error`. A rule sets this field if the
   * mistake has little effect in this case, or if the checked objects do not prove the mistake.
   */
  readonly severityOverride?: boolean;
}

/** A rule about Kubernetes objects. The cluster can contain other objects in addition to the checked objects. */
export interface ManifestRule extends RuleInfo {
  /** @param release the Linkerd release of the cluster; null if the release is not known */
  readonly check: (stream: ManifestSet, release: LinkerdRelease | null) => Iterable<ManifestFinding>;
}
