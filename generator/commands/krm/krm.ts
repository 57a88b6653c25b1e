import { resolve } from "node:path";
import { render } from "../../bundle/render.ts";
import { Repository } from "../../bundle/repository.ts";
import { readWorkloadFiles } from "../../bundle/workload-files.ts";
import { type Diagnostic, hasErrors } from "../../diagnostics/diagnostic.ts";
import { readIdentity } from "../../identity/read-identity.ts";
import { isInjection } from "../../inject/config.ts";
import { generateList } from "../../inject/krm/generate.ts";
import { injectList } from "../../inject/krm/inject.ts";
import { buildBundle } from "../../inject/krm/kustomize.ts";
import { type Answer, answer, refuse } from "../../inject/krm/output.ts";
import { parseResourceList, type ResourceList } from "../../inject/krm/resource-list.ts";
import { about, lineOf, type Result, resultOf } from "../../inject/krm/result.ts";
import { valuesOf } from "../../kubernetes/documents.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { loadEnvironment } from "../../lint/load.ts";
import { environmentsFolder, specFile } from "../../spec/layout.ts";
import { valueSource } from "../../spec/value-source.ts";
import { asMap } from "../../system/data.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { findUp } from "../../system/files.ts";
import { printable } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { readText } from "../load.ts";

/**
 * `meshops krm`: runs as a KRM function. If the functionConfig is an Environment, the command generates the objects of
 * the environment. If the functionConfig is a MeshInjection, the command changes the items of the ResourceList.
 */
export async function krm(_: readonly string[], { directory }: { readonly directory: string }, io: Io): Promise<number> {
  const { text, results, failed } = await work(readText(io, 0), directory, io);
  io.stdout.write(text);
  // Also print errors and warnings to stderr, because some orchestrators do not print the results in the ResourceList.
  // kustomize prints the text that a function writes to stderr.
  for (const result of results) if (result.severity !== "info") io.stderr.write(`${printable(lineOf(result))}\n`);
  return failed ? exitCode.problem : exitCode.ok;
}

async function work(text: string, directory: string, io: Io): Promise<Answer> {
  const list = parseResourceList(text);
  if (Array.isArray(list)) return refuse(list);
  const { apiVersion, kind } = list.functionConfig;
  const refused = (message: string, path: string): Answer =>
    answer(list, [{ message, severity: "error", ...about(list.functionConfig), field: { path } }]);
  if (apiVersion !== "meshops.dev/v1alpha1")
    return refused(`functionConfig has apiVersion ${String(apiVersion)}, not meshops.dev/v1alpha1`, "apiVersion");
  if (isInjection(list.functionConfig)) return injectList(list);
  if (kind !== "Environment") return refused(`functionConfig has kind ${String(kind)}, not Environment or MeshInjection`, "kind");
  try {
    // kustomize runs a function in the folder of the kustomization.yaml. The root of the repository is this folder or
    // one of its parent folders.
    return await generate(io, list, new Repository(findUp(resolve(io.cwd, directory), environmentsFolder) ?? directory));
  } catch (error) {
    // Return a UserError or an operating system error as a result in the ResourceList. Throw all other errors, because
    // they are bugs.
    const { message, fix = null, syscall } = error as Partial<UserError> & NodeJS.ErrnoException;
    if (!(error instanceof UserError) && syscall === undefined) throw error;
    return answer(list, [{ message: fix === null ? message : `${message}; fix: ${fix}`, severity: "error" }]);
  }
}

/**
 * Adds the objects of an environment to the list. The functionConfig is the spec of the environment. Reads all other
 * input from the repository: the specs that this spec extends, the files of the identity, the files of the workloads,
 * and the bases.
 */
async function generate(io: Io, list: ResourceList, repository: Repository): Promise<Answer> {
  const name = String(at(list.functionConfig["metadata"], "name"));
  const own = valueSource(list.functionConfig, specFile(name));
  const { environment, abstract, diagnostics } = loadEnvironment(name, (wanted) =>
    wanted === name ? own : repository.source(wanted),
  );
  const toResult = (diagnostic: Diagnostic): Result =>
    resultOf(diagnostic, diagnostic.file === own.file ? list.functionConfig : null);
  const results: Result[] = diagnostics.map(toResult);
  if (abstract)
    results.push({
      message: `environment "${name}" is abstract`,
      severity: "error",
      ...about(list.functionConfig),
      field: { path: "spec.abstract" },
    });
  if (environment === null || hasErrors(diagnostics)) return answer(list, results);
  const { identity, diagnostics: found } = readIdentity(repository.root, environment);
  results.push(...found.map(toResult));
  if (identity === null || hasErrors(found)) return answer(list, results);
  const { diagnostics: ofWorkloads, ...files } = readWorkloadFiles(repository.root, environment);
  results.push(...ofWorkloads.map(toResult));
  if (hasErrors(ofWorkloads)) return answer(list, results);
  const { model, bundle } = render({ environment, identity, ...files });
  const built = valuesOf(await buildBundle(repository.root, bundle, model, io.env)).map(asMap);
  return generateList(list, model, built, results);
}
