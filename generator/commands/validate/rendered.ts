import type { Repository } from "../../bundle/repository.ts";
import { modelOf } from "../../components/build.ts";
import { workloadId } from "../../components/names.ts";
import { type Diagnostic, fileDiagnostic } from "../../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import { compareWorkload } from "../../inject/describe/compare.ts";
import { specFile } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import type { Io } from "../io.ts";
import { ruleFindings } from "../rule-findings.ts";
import { renderWorkload } from "./render-workload.ts";

/** Finding about a workload in the spec that does not match the objects rendered from its chart or folder. */
const differs: RenderedRule = { code: "workload-differs", severity: "error" };

/** Finding about rendered objects that cause failures later, or that leave access to the pods unprotected. */
const risk: RenderedRule = { code: "workload-risk", severity: "warning" };

/** A finding that only `validate --render` reports. docs/findings.md describes these findings. */
type RenderedRule = Pick<RuleInfo, "code" | "severity">;

/** The findings that only `validate --render` reports. */
export const renderedRules: readonly RenderedRule[] = [differs, risk];

/**
 * Renders the workloads that meshops delivers, and compares the rendered objects with the workloads in the specs. Runs
 * the programs helm and kustomize.
 *
 * @throws UserError (missing) if helm or kustomize is not on the PATH
 */
export async function renderedFindings(io: Io, { root }: Repository, all: readonly Loaded[]): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const loaded of all) {
    const { environment } = loaded;
    if (environment === null) continue;
    const delivered = Object.entries(environment.spec.workloads).filter(([, workload]) => deliversWorkload(workload));
    const components = delivered.length === 0 ? [] : modelOf(environment).components;
    for (const [key, workload] of delivered) {
      const patches = components.find(({ id }) => id === workloadId(key))?.patches ?? [];
      const rendered = await renderWorkload({ root, env: io.env }, key, workload, patches);
      if (typeof rendered === "string") {
        found.push(notRendered(environment.metadata.name, key, rendered));
        continue;
      }
      const { differences, risks } = compareWorkload(environment, key, rendered);
      found.push(...ruleFindings(loaded, differs, () => differences), ...ruleFindings(loaded, risk, () => risks));
    }
  }
  return found;
}

function notRendered(environment: string, key: string, reason: string): Diagnostic {
  return fileDiagnostic(specFile(environment), {
    code: "workload-differs",
    message: `the workload ${key} cannot be rendered: ${reason}`,
    fix: "correct the fields source, values or patches of the workload",
  });
}
