import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Path } from "../../diagnostics/source.ts";
import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";

/** What a rule finds in somebody's objects: the value at `path` of `manifest`. */
export interface ManifestFinding {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
  /** A warning, though the rule is one of errors: it does little harm here, or the stream does not hold what would settle it. */
  readonly mild?: boolean;
}

/** A rule about Kubernetes objects, whoever wrote them. It judges by what the stream holds, and passes over what it does not. */
export interface ManifestRule extends RuleInfo {
  /** @param release the Linkerd release that the objects run under; null if it is not known */
  readonly check: (stream: ManifestSet, release: LinkerdRelease | null) => Iterable<ManifestFinding>;
}
