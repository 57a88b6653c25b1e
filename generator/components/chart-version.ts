import type { ChangeRule } from "./change-rule.ts";

/** A HelmRelease that goes to another version of its chart, where nothing but a restart of its pods follows. */
export function chartVersion(release: string): ChangeRule {
  return {
    *assess({ kind, name, change, fields }) {
      if (kind !== "HelmRelease" || name !== release || change !== "changed") return;
      for (const { path, before, after } of fields)
        if (path === "spec.chart.spec.version")
          yield { risk: "rollout", reason: `${name} goes from ${String(before)} to ${String(after)}, and its pods restart` };
    },
  };
}
