import { join } from "node:path";
import { dgraphName } from "../components/dgraph/names.ts";
import { internalPortsStall } from "../components/dgraph/rules.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { judgement } from "../lint/specs.ts";
import { overlayFolder } from "../spec/layout.ts";
import type { Loaded } from "../spec/load.ts";
import { spec } from "../spec/rule.ts";
import { readIfThere } from "../system/files.ts";

/** Findings about what changes between the bundle on disk and the spec; none once the bundle is generated. */
export function changeFindings(root: string, { environment, locate }: Loaded): Diagnostic[] {
  if (environment === null || locate === null) return [];
  const { internalPorts, networkPolicy } = environment.spec.dgraph;
  if (internalPorts !== "skip" || !networkPolicy) return [];
  const policy = readIfThere(join(root, overlayFolder(environment.metadata.name, "dgraph-policy"), "authorization.yaml")) ?? "";
  const guarded = ["alpha-internal", "zero-internal"].map((part) => dgraphName(environment, part));
  if (!guarded.some((name) => policy.includes(`name: ${name}\n`))) return [];
  const finding = {
    paths: [spec("dgraph", "internalPorts")],
    message: `Servers ${guarded.join(" and ")} would refuse the first restarted pods, and the rollout would stall`,
    fix: "set dgraph.networkPolicy: false first; docs/access.md has the steps",
  };
  return [locate(judgement(internalPortsStall, finding, environment))];
}
