import { type Rendered, render } from "../bundle/render.ts";
import type { Repository } from "../bundle/repository.ts";
import { readWorkloadFiles } from "../bundle/workload-files.ts";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import { readIdentity } from "../identity/read-identity.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Io } from "./io.ts";
import { loadAll, printDiagnostics, selectConcrete } from "./load.ts";
import { withProgress } from "./terminal/progress.ts";

/**
 * Loads, validates and renders the environments with the given names, or all environments if no name is given. Prints
 * the findings to stderr. Returns null if one of the findings is an error.
 */
export function renderEnvironments(io: Io, repository: Repository, names: readonly string[]): Rendered[] | null {
  const { loaded, diagnostics } = loadAll(repository, names);
  const environments = selectConcrete(loaded, names);
  const rendered = hasErrors(diagnostics) ? [] : renderAll(io, repository.root, environments, diagnostics);
  printDiagnostics(io.stderr, diagnostics);
  return hasErrors(diagnostics) ? null : rendered;
}

/** A rendered environment, with the findings about its identity and about the files to which its workloads refer. */
interface RenderedEnvironment extends Rendered {
  readonly findings: readonly Diagnostic[];
}

/**
 * Renders environments. Appends findings to `diagnostics`: the findings about the identities of the environments, and
 * about the files to which the workloads refer. Omits environments with errors in these files.
 */
export function renderAll(
  io: Io,
  root: string,
  environments: readonly Environment[],
  diagnostics: Diagnostic[],
): RenderedEnvironment[] {
  const rendered: RenderedEnvironment[] = [];
  for (const environment of withProgress(io, "rendering", environments)) {
    const { identity, diagnostics: ofIdentity } = readIdentity(root, environment);
    const { diagnostics: ofWorkloads, ...files } = readWorkloadFiles(root, environment);
    const findings = [...ofIdentity, ...ofWorkloads];
    diagnostics.push(...findings);
    if (identity !== null && !hasErrors(ofWorkloads)) rendered.push({ ...render({ environment, identity, ...files }), findings });
  }
  return rendered;
}
