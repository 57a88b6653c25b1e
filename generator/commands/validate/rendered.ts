import { stringify } from "yaml";
import type { Repository } from "../../bundle/repository.ts";
import { atStart, type Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import { compareWorkload } from "../../inject/describe/compare.ts";
import { type Manifest, parseManifests } from "../../kubernetes/read.ts";
import type { Environment, Workload } from "../../spec/environment.generated.ts";
import { specFile } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { runProgram } from "../../system/process.ts";
import type { Io } from "../io.ts";
import { ruleFindings } from "../rule-findings.ts";

/** Rule for a description that does not match the objects of the workload. */
const differs: RuleInfo = {
  code: "workload-differs",
  severity: "error",
  title: "The description of a workload differs from its objects",
  why: "",
  fix: "",
};

/** Rule for a risk that the objects of a workload show: a later failure, or access that is not protected. */
const risk: RuleInfo = {
  code: "workload-risk",
  severity: "warning",
  title: "The objects of a workload do not fit its policies",
  why: "",
  fix: "",
};

/**
 * Renders the workloads that meshops delivers, and compares the rendered objects with the descriptions of the
 * workloads. Runs the installed helm and kustomize.
 *
 * @throws UserError (missing) if helm or kustomize is not on the PATH
 */
export async function renderedFindings(io: Io, repository: Repository, all: readonly Loaded[]): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const loaded of all) {
    const { environment } = loaded;
    if (environment === null) continue;
    for (const [key, workload] of Object.entries(environment.spec.workloads)) {
      if (!deliversWorkload(workload)) continue;
      const rendered = await render(io, repository, environment, key, workload);
      if (!Array.isArray(rendered)) {
        found.push(rendered);
        continue;
      }
      const { differences, risks } = compareWorkload(environment, key, rendered);
      found.push(...ruleFindings(loaded, differs, () => differences), ...ruleFindings(loaded, risk, () => risks));
    }
  }
  return found;
}

/**
 * Returns the objects of a workload, or a finding if rendering fails. Values that come from objects in the cluster are
 * not included.
 */
async function render(
  io: Io,
  { root }: Repository,
  environment: Environment,
  key: string,
  { source, namespace, values }: Workload,
): Promise<Manifest[] | Diagnostic> {
  const [program, args] =
    source?.path === undefined ? ["helm", templateArguments(key, namespace, source)] : ["kustomize", ["build", source.path]];
  const { stdout, stderr, code, absent } = await runProgram(program, args, {
    cwd: root,
    env: io.env,
    ...(program === "helm" ? { input: stringify(values) } : {}),
  });
  if (absent)
    throw new UserError(exitCode.missing, `${program} is not on the PATH`, "run meshops doctor, which shows how to install it");
  const { objects, diagnostics } = parseManifests(key, stdout);
  const unreadable = diagnostics.find(({ severity }) => severity === "error");
  if (code === 0 && unreadable === undefined) return [...objects];
  const reason = code === 0 ? unreadable?.message : stderr.trim() || `exit status ${code}`;
  return atStart(specFile(environment.metadata.name), {
    code: "workload-differs",
    message: `${program} cannot render the workload ${key}: ${reason}`,
    fix: "correct the source or the values of the workload",
  });
}

/** Arguments of `helm template`. The values are read from stdin. */
function templateArguments(key: string, namespace: string, source: Workload["source"]): string[] {
  const { chart, oci } = source ?? {};
  const name = chart?.releaseName ?? oci?.releaseName ?? key;
  const from = chart === undefined ? [oci?.url ?? ""] : [chart.name, "--repo", chart.repository];
  const version = chart?.version ?? oci?.version ?? "";
  return ["template", name, ...from, "--version", version, "--namespace", namespace, "--values", "-"];
}
