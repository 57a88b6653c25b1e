import type { ChangeRule } from "./change-rule.ts";

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
            reason: `chart ${name} changes from ${String(before)} to ${String(after)}; the chart's pods restart${isOlder(String(after), String(before)) ? ". The new version is older: meshops does not test changes to an older version" : ""}`,
          };
    },
  };
}

/** Whether a version of a chart is older than another one. Suffixes, such as `-preview6`, are ignored. */
function isOlder(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split(/[.-]/).map(Number));
  const at = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return at !== -1 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}
