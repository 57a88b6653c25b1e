import { join } from "node:path";
import { overlayFolder } from "../emit/layout.ts";
import { dgraphName } from "../mesh/dgraph.ts";
import type { Diagnostic } from "../spec/diagnostic.ts";
import type { Loaded } from "../spec/load.ts";
import { internalPortsStall } from "../spec/rules/dgraph.ts";
import { spec } from "../spec/rules/rule.ts";
import { judgement } from "../spec/rules.ts";
import { readIfThere } from "./files.ts";

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
    hint: "set dgraph.networkPolicy: false first; docs/access.md has the steps",
  };
  return [locate(judgement(internalPortsStall, finding, environment))];
}
