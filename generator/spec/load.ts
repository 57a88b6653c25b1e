import { type Diagnostic, distinct, fileDiagnostic, hasErrors } from "../diagnostics/diagnostic.ts";
import { capped, diagnosticAtPath, type Source } from "../diagnostics/source.ts";
import { asMap } from "../system/data.ts";
import type { Environment } from "./environment.generated.ts";
import { chainOf, type Merged, mergeChain, type ReadSource } from "./inherit.ts";
import type { LocatedFinding } from "./rule.ts";
import { checkFileForm, complete, enabledByDefault } from "./schema-check.ts";
import { explain, relevant, type SchemaError, type SchemaFinding } from "./schema-errors.ts";

/** Result of loading one environment file. */
export interface Loaded {
  readonly name: string;
  /** Null if the file is abstract or has errors. */
  readonly environment: Environment | null;
  readonly abstract: boolean;
  /** Findings about the file and the files that it extends. Each finding has the location of its cause. */
  readonly diagnostics: readonly Diagnostic[];
  /** Paths of the spec and of the files that it extends. The spec is last. */
  readonly files: readonly string[];
  /**
   * Function that converts a rule violation to a diagnostic. The rules check the merged environment, but the diagnostic
   * refers to the file that sets the value. The field is null if the files were not merged.
   */
  readonly locate: ((finding: LocatedFinding) => Diagnostic) | null;
}

/** An environment that was checked against the schema, but not yet against the rules that involve several fields. */
export interface Resolved extends Loaded {
  /** The environment, even if its files have errors. Null if a required value is missing or a value is wrong. */
  readonly resolved: Environment | null;
}

/**
 * Resolves one environment: reads its file and the files that it extends, checks each file against the schema for spec
 * files, merges the files, fills in the defaults, and checks the merged environment. Reports all problems at once.
 *
 * @param known names of existing environments. If `spec.extends` contains an unknown name, the finding suggests a
 *   similar name from this list
 */
export function resolveEnvironment(name: string, read: ReadSource, known: readonly string[] = []): Resolved {
  const own = read(name);
  if (own === null) {
    const missing = fileDiagnostic(`environments/${name}.yaml`, {
      code: "file-missing",
      message: "the file does not exist",
      fix: null,
    });
    return { name, environment: null, resolved: null, abstract: false, diagnostics: [missing], files: [], locate: null };
  }
  const chain = chainOf(own, read, [name], known);
  const files = chain.sources.map(({ file }) => file);
  const inFiles = chain.sources.map((source) => ({ source, findings: checkFile(source) }));
  const diagnostics = [
    ...chain.diagnostics,
    ...chain.sources.slice(1).flatMap(resetSections),
    ...inFiles.flatMap(({ source, findings }) => [...source.diagnostics, ...capped(findings, (finding) => at(source, finding))]),
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
  const locate = (finding: LocatedFinding): Diagnostic => whereWritten(finding, merged, own);
  if (environment === null) diagnostics.push(...missingKeys(name, errors, findings).map((finding) => at(own, finding)));
  const usable = hasErrors(diagnostics) ? null : environment;
  return { name, environment: usable, resolved: environment, abstract, diagnostics: distinct(diagnostics), files, locate };
}

/**
 * Whether a file is only a base for other files. meshops generates no files for a base. Files that extend a base do not
 * inherit `spec.abstract`.
 */
export function isAbstract(source: Source): boolean {
  return asMap(asMap(source.value)["spec"])["abstract"] === true;
}

/** Returns a warning for each section that is enabled by default and that a file sets to null. */
function resetSections(source: Source): Diagnostic[] {
  const spec = asMap(asMap(source.value)["spec"]);
  return enabledByDefault
    .filter((section) => spec[section] === null)
    .map((section) =>
      diagnosticAtPath(source, ["spec", section], "value", {
        code: "null-resets",
        severity: "warning",
        message: `null does not disable ${section}. null only removes the inherited settings, and ${section} is enabled by default`,
        expected: null,
        fix: `set ${section}: {enabled: false}`,
      }),
    );
}

/** Checks one file against the schema for spec files. Also checks that `metadata.name` is the name of the file. */
function checkFile(source: Source): SchemaFinding[] {
  if (source.document === null) return [];
  const findings = relevant(checkFileForm(source.value)).map(explain);
  const { name } = asMap(asMap(source.value)["metadata"]);
  const fileName = source.file.replace(/^.*\//, "").replace(/\.yaml$/, "");
  if (typeof name !== "string" || name === fileName) return findings;
  const statement = {
    code: "name-mismatch",
    severity: "error",
    message: `metadata.name is "${name}", but the name of the file is ${fileName}.yaml`,
    expected: `"${fileName}"`,
    fix: `set metadata.name: ${fileName}, or rename the file`,
  } as const;
  return [...findings, { path: ["metadata", "name"], part: "value", statement }];
}

/**
 * Returns findings about required keys that are missing in the merged environment. The schema for spec files does not
 * check required keys, because a base can omit these keys. Skips a missing key if one of the files already has a
 * finding about the key.
 */
function missingKeys(name: string, errors: readonly SchemaError[], inFiles: readonly SchemaFinding[]): SchemaFinding[] {
  const reported = new Set(inFiles.map(({ path }) => path.join("/")));
  // `lifecycle` and `provider` determine whether `spec.secrets` is required. If one of them is wrong, do not report
  // that `spec.secrets` is missing.
  if (inFiles.some(({ path }) => path.at(-1) === "lifecycle" || path.at(-1) === "provider")) reported.add("spec/secrets");
  const missing = errors.filter(({ keyword }) => keyword === "required").map((error) => withFix(explain(error), name));
  return missing.filter(({ path }) => !reported.has(path.join("/")));
}

/** Adds a fix to a finding about missing recipients: the command that generates recipients. */
function withFix(finding: SchemaFinding, name: string): SchemaFinding {
  if (finding.path.join(".") !== "spec.secrets") return finding;
  return {
    ...finding,
    statement: {
      ...finding.statement,
      fix: `if overlays/${name} contains encrypted files, restore spec.secrets from Git, because Flux cannot decrypt the files with a new key. Otherwise, run meshops identity keygen ${name} --write`,
    },
  };
}

function at(source: Source, { path, part, statement }: SchemaFinding): Diagnostic {
  return diagnosticAtPath(source, path, part, statement);
}

/**
 * Converts a rule violation to a diagnostic. The violation can refer to several values. The diagnostic refers to the
 * first of these values that a file sets, because default values are not in a file.
 */
function whereWritten({ paths, part, statement }: LocatedFinding, merged: Merged, own: Source): Diagnostic {
  const written = paths.flatMap((path) => {
    const source = merged.originOf(path);
    return source === null ? [] : [{ source, path }];
  });
  const { source, path } = written[0] ?? { source: own, path: paths[0] ?? [] };
  return diagnosticAtPath(source, path, part, statement);
}
