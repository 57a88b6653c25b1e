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
  return knownReleaseWith(chart, version) ?? nearestRelease(version.replace(/^20/, "edge-"));
}

/** Returns the Linkerd release of the catalog that contains the given version of the chart; undefined if there is none. */
export function knownReleaseWith(chart: LinkerdChart, version: string): LinkerdRelease | undefined {
  return linkerdReleases.find(({ charts }) => charts[chart] === version);
}

/**
 * Whether Kubernetes rejects the Server CRD of the new release, because the CRD does not contain the version in which the
 * cluster stores Servers. The newest version that a CRD serves is also the version that the API server stores
 * (linkerd-crds, rendered, all releases of the catalog).
 */
export function failsToDowngrade(old: Pick<LinkerdRelease, "traits"> | null, next: typeof old): boolean {
  return old?.traits.policyApi.server === "v1beta3" && next?.traits.policyApi.server === "v1beta1";
}

/**
 * Returns the version of the Linkerd release that contains the given version of the chart. In edge releases, the
 * version of a chart is a date, such as `2026.8.3`. If the catalog does not contain such a version, the function
 * derives the Linkerd version from the date. Returns null for any other version that the catalog does not contain.
 */
export function linkerdVersionWith(chart: LinkerdChart, version: string): LinkerdVersion | null {
  return knownReleaseWith(chart, version)?.version ?? (version.startsWith("20") ? `edge-${version.slice(2)}` : null);
}
