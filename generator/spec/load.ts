import { atStart, type Diagnostic, distinct, hasErrors } from "../diagnostics/diagnostic.ts";
import { diagnosticAtPath, limited, type Source } from "../diagnostics/source.ts";
import { asMap } from "../system/data.ts";
import type { Environment } from "./environment.generated.ts";
import { chainOf, type Merged, mergeChain, type ReadSource } from "./inherit.ts";
import type { Judgement } from "./rule.ts";
import { checkFileForm, complete } from "./schema-check.ts";
import { explain, relevant, type SchemaError, type SchemaFinding } from "./schema-errors.ts";

/** What became of one environment file. */
export interface Loaded {
  readonly name: string;
  /** Null where the file is abstract or has errors. */
  readonly environment: Environment | null;
  readonly abstract: boolean;
  /** Findings of the file and of what it inherits, each at the file that it is written in. */
  readonly diagnostics: readonly Diagnostic[];
  /** The spec and those that it extends, its own last. */
  readonly files: readonly string[];
  /** Where a value of the environment is written, for findings that are made later; null where nothing was merged. */
  readonly locate: ((judgement: Judgement) => Diagnostic) | null;
}

/** An environment before the rules between its fields are checked. */
export interface Resolved extends Loaded {
  /** The environment although its files may have errors; null if a value is missing or wrong. */
  readonly resolved: Environment | null;
}

/**
 * Resolves one environment: reads its file and the files it extends, checks each against the file form of the schema,
 * merges them, fills in the defaults, and checks the whole. All problems are reported at once.
 */
export function resolveEnvironment(name: string, read: ReadSource): Resolved {
  const own = read(name);
  if (own === null) {
    const missing = atStart(`environments/${name}.yaml`, { code: "file-missing", message: "there is no such file", fix: null });
    return { name, environment: null, resolved: null, abstract: false, diagnostics: [missing], files: [], locate: null };
  }
  const chain = chainOf(own, read, [name]);
  const files = chain.sources.map(({ file }) => file);
  const inFiles = chain.sources.map((source) => ({ source, findings: checkFile(source) }));
  const diagnostics = [
    ...chain.diagnostics,
    ...inFiles.flatMap(({ source, findings }) => [...source.diagnostics, ...limited(findings, (finding) => at(source, finding))]),
  ];
  const abstract = isAbstract(own);
  const findings = inFiles.flatMap((file) => file.findings);
  const whole =
    chain.diagnostics.length === 0 &&
    chain.sources.every(({ document }) => document !== null) &&
    !findings.some(({ path }) => path.join(".") === "spec.extends");
  if (!whole || abstract)
    return { name, environment: null, resolved: null, abstract, diagnostics: distinct(diagnostics), files, locate: null };
  const merged = mergeChain(chain);
  const { environment, errors } = complete(merged.value);
  const locate = (judgement: Judgement): Diagnostic => whereWritten(judgement, merged, own);
  if (environment === null) diagnostics.push(...missingKeys(name, errors, findings).map((finding) => at(own, finding)));
  const usable = hasErrors(diagnostics) ? null : environment;
  return { name, environment: usable, resolved: environment, abstract, diagnostics: distinct(diagnostics), files, locate };
}

/** Whether a file is a base, for which nothing is generated; its own word, which is not inherited. */
export function isAbstract(source: Source): boolean {
  return asMap(asMap(source.value)["spec"])["abstract"] === true;
}

/** What one file breaks: the file form of the schema, and that it has the name it gives itself. */
function checkFile(source: Source): SchemaFinding[] {
  if (source.document === null) return [];
  const findings = relevant(checkFileForm(source.value)).map(explain);
  const { name } = asMap(asMap(source.value)["metadata"]);
  const fileName = source.file.replace(/^.*\//, "").replace(/\.yaml$/, "");
  if (typeof name !== "string" || name === fileName) return findings;
  const statement = {
    code: "name-mismatch",
    severity: "error",
    message: `the file is named ${fileName}.yaml, the environment "${name}"`,
    expected: `"${fileName}"`,
    fix: "rename one of the two",
  } as const;
  return [...findings, { path: ["metadata", "name"], part: "value", statement }];
}

/** What is missing shows in the whole alone, and in no base; where a file says something wrong instead, that is told already. */
function missingKeys(name: string, errors: readonly SchemaError[], inFiles: readonly SchemaFinding[]): SchemaFinding[] {
  const told = new Set(inFiles.map(({ path }) => path.join("/")));
  const missing = errors.filter(({ keyword }) => keyword === "required").map((error) => withFix(explain(error), name));
  return missing.filter(({ path }) => !told.has(path.join("/")));
}

/** Recipients are nothing that one could write down. */
function withFix(finding: SchemaFinding, name: string): SchemaFinding {
  if (finding.path.join(".") !== "spec.secrets") return finding;
  return { ...finding, statement: { ...finding.statement, fix: `meshops identity keygen ${name} --write` } };
}

function at(source: Source, { path, part, statement }: SchemaFinding): Diagnostic {
  return diagnosticAtPath(source, path, part, statement);
}

/** A finding at the first of its values that some file writes: a default is nobody's line. */
function whereWritten({ paths, statement }: Judgement, merged: Merged, own: Source): Diagnostic {
  const written = paths.flatMap((path) => {
    const source = merged.originOf(path);
    return source === null ? [] : [{ source, path }];
  });
  const { source, path } = written[0] ?? { source: own, path: paths[0] ?? [] };
  return diagnosticAtPath(source, path, "value", statement);
}
