import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { inventoryFile } from "../bundle/inventory.ts";
import { Repository } from "../bundle/repository.ts";
import { repositoryFiles } from "../bundle/repository-files.ts";
import { type Diagnostic, distinct, fileDiagnostic, hasErrors, isActive } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/suggest.ts";
import { toText } from "../diagnostics/text.ts";
import { findCollisions, loadEnvironment } from "../lint/load.ts";
import { fileRules } from "../lint/specs.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { specFile } from "../spec/layout.ts";
import type { Loaded } from "../spec/load.ts";
import type { FileRule } from "../spec/rule.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { plural } from "../system/text.ts";
import type { Io, Output } from "./io.ts";
import { ruleFindings } from "./rule-findings.ts";

/** Option that every command has. */
export interface DirectoryOption {
  readonly directory: string;
}

/** Options that most commands have. */
export interface CommonOptions extends DirectoryOption {
  readonly output: "text" | "json";
}

/**
 * Returns the platform repository in a folder.
 *
 * @throws UserError (missing) if the folder does not contain a folder environments/
 */
export function repositoryIn({ cwd }: Io, directory: string): Repository {
  return new Repository(resolve(cwd, directory));
}

/** Loaded environments, and the findings about these environments. */
interface LoadedAll {
  readonly loaded: readonly Loaded[];
  readonly diagnostics: Diagnostic[];
}

/**
 * Loads and checks the environments with the given names, or all environments if no name is given.
 *
 * @throws UserError (usage) if no spec exists for one of the names
 */
export function loadAll(repository: Repository, names: readonly string[]): LoadedAll {
  refuseUnknown(repository, names);
  return load(repository, names.length === 0 ? repository.environmentNames() : [...new Set(names)]);
}

/**
 * Loads and checks environments. The caller must ensure that a spec exists for each name.
 *
 * @param rules the rules that read files of the repository
 */
export function load(repository: Repository, names: readonly string[], rules: readonly FileRule[] = quickRules): LoadedAll {
  const known = repository.environmentNames();
  const loaded = names.map((name) => loadEnvironment(name, repository.source, known));
  const isGenerated = (name: string): boolean => existsSync(join(repository.root, inventoryFile(name)));
  const files = repositoryFiles(repository.root);
  const found = loaded.flatMap((each) => [
    ...each.diagnostics,
    ...rules.flatMap((rule) => ruleFindings(each, rule, (environment) => rule.check(environment, files))),
  ]);
  return { loaded, diagnostics: distinct([...repository.strayFiles(), ...findCollisions(loaded, isGenerated), ...found]) };
}

/** The rules that all commands check. These rules read only a few files. */
const quickRules = fileRules.filter(({ onlyByValidate }) => onlyByValidate !== true);

/** @throws UserError (usage) if no spec exists for one of the names */
export function refuseUnknown(repository: Repository, names: readonly string[]): void {
  const [unknown] = unknownEnvironments(repository, names);
  if (unknown !== undefined)
    throw new UserError(exitCode.usage, unknown.message, unknown.fix ?? (unknown.expected && `use ${unknown.expected}`));
}

/** Returns one finding per name that has no spec. */
export function unknownEnvironments(repository: Repository, names: readonly string[]): Diagnostic[] {
  const known = repository.environmentNames();
  return [...new Set(names)]
    .filter((name) => !known.includes(name))
    .map((name) => unknownEnvironment(name, known, existsSync(join(repository.root, inventoryFile(name)))));
}

/**
 * Returns the environments of the loaded specs. Omits abstract specs, and specs that could not be loaded because of
 * errors.
 *
 * @throws UserError (usage) if `names` contains an abstract environment
 */
export function selectConcrete(loaded: readonly Loaded[], names: readonly string[]): Environment[] {
  const base = loaded.find(({ name, abstract }) => abstract && names.includes(name));
  if (base !== undefined)
    throw new UserError(
      exitCode.usage,
      `environment "${base.name}" is abstract`,
      `specify an environment whose spec extends ${base.name}`,
    );
  return loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
}

/**
 * Loads one environment.
 *
 * @throws UserError (problem) if the environment is not valid. The function prints the findings before it throws
 */
export function loadOne(io: Io, repository: Repository, name: string): Environment {
  const { loaded, diagnostics } = loadAll(repository, [name]);
  const [environment] = selectConcrete(loaded, [name]);
  if (environment === undefined || hasErrors(diagnostics)) {
    printDiagnostics(io.stderr, diagnostics);
    throw new UserError(exitCode.problem, `environment "${name}" is not valid`, `run meshops validate ${name}`);
  }
  return environment;
}

/** @param generated whether the repository contains generated files of the environment */
function unknownEnvironment(name: string, known: readonly string[], generated: boolean): Diagnostic {
  const message = `environment "${name}" does not exist`;
  const restore = generated ? `restore ${specFile(name)} from Git` : null;
  const fix = restore ?? didYouMean(name, known);
  const unknown = fileDiagnostic(specFile(name), { code: "environment-unknown", message, fix });
  return { ...unknown, expected: known.length === 0 || generated ? null : `one of ${known.join(", ")}` };
}

/**
 * Returns the text of a file or of stdin.
 *
 * @param path path of the file, or 0 for stdin
 * @throws UserError (missing) if the file cannot be read; UserError (problem) if the file is not UTF-8 text
 */
export function readText(io: Io, path: string | 0): string {
  const name = path === 0 ? "stdin" : path;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      path === 0 ? io.stdin.read() : readFileSync(resolve(io.cwd, path)),
    );
  } catch (error) {
    if (error instanceof TypeError) throw new UserError(exitCode.problem, `${name} is not UTF-8 text`, "save the file as UTF-8");
    throw new UserError(exitCode.missing, `cannot read ${name}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/**
 * Prints the findings that are not silenced.
 *
 * @param to stdout if the findings are the result of the command, and stderr if the command has another result
 */
export function printDiagnostics(to: Output, diagnostics: readonly Diagnostic[]): void {
  const loud = diagnostics.filter(isActive);
  if (loud.length > 0) to.write(`${toText(loud, to.colors)}\n`);
}

/**
 * Returns a text with the numbers of errors, warnings and silenced findings, such as `1 error, 2 warnings, 1 silenced`.
 * Returns an empty text for an empty list.
 */
export function countOf(diagnostics: readonly Diagnostic[]): string {
  const loud = diagnostics.filter(isActive);
  const errors = loud.filter(({ severity }) => severity === "error").length;
  const warnings = loud.length - errors;
  const silenced = diagnostics.length - loud.length;
  const parts = [
    errors > 0 ? plural(errors, "error") : "",
    warnings > 0 ? plural(warnings, "warning") : "",
    silenced > 0 ? `${silenced} silenced` : "",
  ];
  return parts.filter(Boolean).join(", ");
}
