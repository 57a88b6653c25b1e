import { at } from "../kubernetes/object-fields.ts";
import { isVersionAtLeast } from "../system/version.ts";
import type { ChangedObject, ChangeRule } from "./change-rule.ts";

/**
 * Returns a rule for changes of a HelmRelease's chart version. Use it only if a restart of the pods is the only effect.
 */
export function chartVersion(release: string): ChangeRule {
  return {
    *assess({ kind, name, change, fields }) {
      if (kind !== "HelmRelease" || name !== release || change !== "changed") return;
      for (const { path, before, after } of fields)
        if (path === "spec.chart.spec.version")
          yield {
            risk: "rollout",
            reason: `chart ${name} changes from ${String(before)} to ${String(after)}; the chart's pods restart${isVersionAtLeast(String(after), String(before)) ? "" : ". The new version is older: meshops does not test changes to an older version"}`,
          };
    },
  };
}

/** Version of a HelmRelease's chart. */
export function chartVersionOf(release: ChangedObject["before"]): string {
  return String(at(release, "spec", "chart", "spec", "version"));
}
