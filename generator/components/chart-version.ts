import {
  type LinkerdChart,
  type LinkerdRelease,
  type LinkerdVersion,
  linkerdReleases,
  nearestRelease,
} from "../catalog/linkerd.ts";
import { at } from "../kubernetes/object-fields.ts";
import { isVersionAtLeast } from "../system/version.ts";
import type { ChangedObject, ChangeRule } from "./change-rule.ts";

/**
 * Returns a rule for changes of a HelmRelease's chart version. Use this rule only for charts whose new versions have no
 * effect except a restart of the pods.
 */
export function chartVersion(release: string): ChangeRule {
  return {
    *assess({ kind, name, change, fields }) {
      if (kind !== "HelmRelease" || name !== release || change !== "changed") return;
      for (const { path, before, after } of fields) {
        if (path !== "spec.chart.spec.version") continue;
        yield {
          risk: "rollout",
          reason: `chart ${name} changes from ${String(before)} to ${String(after)}; the chart's pods restart`,
        };
        if (!isVersionAtLeast(String(after), String(before)))
          yield {
            risk: "not-assessed",
            reason: `the change of chart ${name} is a downgrade, and meshops is not tested with downgrades`,
          };
      }
    },
  };
}

/** Version of a HelmRelease's chart. */
export function chartVersionOf(release: ChangedObject["before"]): string {
  return String(at(release, "spec", "chart", "spec", "version"));
}

/**
 * Returns the Linkerd release of the catalog that contains the given version of the chart. If no release contains this
 * version, returns the newest release that is older than the version; null if there is none.
 */
export function releaseWith(chart: LinkerdChart, version: string): LinkerdRelease | null {
  const known = linkerdReleases.find(({ charts }) => charts[chart] === version);
  return known ?? nearestRelease(version.replace(/^20/, "edge-"));
}

/**
 * Returns the version of the Linkerd release that contains the given version of the chart. In edge releases, the
 * version of a chart is a date, such as `2026.8.3`. If the catalog does not contain such a version, the function
 * derives the Linkerd version from the date. Returns null for any other version that the catalog does not contain.
 */
export function linkerdVersionWith(chart: LinkerdChart, version: string): LinkerdVersion | null {
  const known = linkerdReleases.find(({ charts }) => charts[chart] === version);
  return known?.version ?? (version.startsWith("20") ? `edge-${version.slice(2)}` : null);
}
