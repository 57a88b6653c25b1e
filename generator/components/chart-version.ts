import type { ChangeRule } from "./change-rule.ts";

/** Returns the rule for a HelmRelease whose chart version changes, if a restart of its pods is the only effect. */
export function chartVersion(release: string): ChangeRule {
  return {
    *assess({ kind, name, change, fields }) {
      if (kind !== "HelmRelease" || name !== release || change !== "changed") return;
      for (const { path, before, after } of fields)
        if (path === "spec.chart.spec.version")
          yield { risk: "rollout", reason: `chart ${name} changes from ${String(before)} to ${String(after)}; its pods restart` };
    },
  };
}
