import { type Diagnostic, hasErrors } from "./diagnostic.ts";
import type { Environment } from "./environment.generated.ts";
import { mergeChain } from "./inherit.ts";
import { maxFindings } from "./limits.ts";
import { checkRules } from "./rules.ts";
import { checkFileForm, complete } from "./schema-check.ts";
import { explain, type Finding } from "./schema-errors.ts";
import { diagnosticAtPath, type Source } from "./source.ts";
import { nearest } from "./suggest.ts";

/** What became of one environment file. */
export interface Loaded {
  readonly name: string;
  /** Null where the file is abstract or has errors. */
  readonly environment: Environment | null;
  readonly abstract: boolean;
  /** Findings of the file and of what it inherits, each at the file that it is written in. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the environment file of a name; null where there is none. */
export type ReadSource = (name: string) => Source | null;

/**
 * Loads one environment: reads its file and the files it extends, checks each against the file form of the schema,
 * merges them, fills in the defaults, and checks the whole. All problems are reported at once.
 *
 * @param name of the environment; `read(name)` must not be null
 */
export function loadEnvironment(name: string, read: ReadSource): Loaded {
  const { chain, diagnostics: broken } = inheritanceChain(name, read);
  const diagnostics = [...broken, ...chain.flatMap(checkFile)];
  const own = chain.at(-1);
  const abstract = (own?.value as { spec?: { abstract?: unknown } | null } | undefined)?.spec?.abstract === true;
  const readable = broken.length === 0 && chain.every(({ document }) => document !== null);
  if (own === undefined || !readable || abstract) return { name, environment: null, abstract, diagnostics };
  const merged = mergeChain(chain);
  const { environment, errors } = complete(merged.value);
  if (environment !== null)
    diagnostics.push(...checkRules(environment).map((finding) => at(merged.originOf(finding.path), finding)));
  // What a file breaks is said already, at its place. What is missing shows in the whole alone, and in no base.
  else diagnostics.push(...errors.filter(({ keyword }) => keyword === "required").map((error) => at(own, explain(error))));
  return { name, environment: hasErrors(diagnostics) ? null : environment, abstract, diagnostics: distinct(diagnostics) };
}

/** The file and its bases, the most basic first, and what is wrong with the chain itself. */
function inheritanceChain(name: string, read: ReadSource): { chain: Source[]; diagnostics: Diagnostic[] } {
  const chain: Source[] = [];
  const names: string[] = [];
  for (let next: string | undefined = name, source = read(name); source !== null; ) {
    chain.unshift(source);
    names.push(next);
    const base = baseOf(source);
    if (base === null) break;
    const finding = { severity: "error" as const, expected: null };
    if (names.includes(base)) {
      const message = `environments extend each other in a circle: ${[...names, base].join(" → ")}`;
      return {
        chain,
        diagnostics: [
          diagnosticAtPath(source, ["spec", "extends"], "value", {
            ...finding,
            code: "extends-cycle",
            message,
            hint: "let one of them extend nothing",
          }),
        ],
      };
    }
    const parent = read(base);
    if (parent === null) {
      const message = `there is no environments/${base}.yaml to extend`;
      return {
        chain,
        diagnostics: [
          diagnosticAtPath(source, ["spec", "extends"], "value", {
            ...finding,
            code: "extends-missing",
            message,
            hint: "name a file of the folder environments/ without its ending",
          }),
        ],
      };
    }
    [next, source] = [base, parent];
  }
  return { chain, diagnostics: [] };
}

/** The name in `spec.extends`, where it has the form of a name; anything else is the schema's business. */
function baseOf(source: Source): string | null {
  const base = (source.value as { spec?: { extends?: unknown } | null } | null | undefined)?.spec?.extends;
  return typeof base === "string" && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(base) ? base : null;
}

/** Checks one file against the file form of the schema, and its name against the name it gives itself. */
function checkFile(source: Source): Diagnostic[] {
  if (source.document === null) return [...source.diagnostics];
  const errors = checkFileForm(source.value)
    .slice(0, maxFindings)
    .map(explain)
    .map((finding) => at(source, finding));
  const name = (source.value as { metadata?: { name?: unknown } | null } | null)?.metadata?.name;
  const fileName = source.file.replace(/^.*\//, "").replace(/\.yaml$/, "");
  if (typeof name !== "string" || name === fileName) return errors;
  const finding = {
    code: "name-mismatch",
    severity: "error",
    message: `the file is named ${fileName}.yaml, the environment "${name}"`,
    expected: `"${fileName}"`,
    hint: "rename one of the two",
  } as const;
  return [...errors, diagnosticAtPath(source, ["metadata", "name"], "value", finding)];
}

function at(source: Source, { path, part, finding }: Finding): Diagnostic {
  return diagnosticAtPath(source, path, part, finding);
}

/** A diagnostic for a name on the command line that no file answers to. */
export function unknownEnvironment(name: string, known: readonly string[]): Diagnostic {
  const guess = nearest(name, known);
  return {
    file: `environments/${name}.yaml`,
    line: 1,
    column: 1,
    code: "environment-unknown",
    severity: "error",
    message: `there is no environment "${name}"`,
    expected: known.length === 0 ? null : `one of ${known.join(", ")}`,
    hint: guess === null ? null : `did you mean "${guess}"?`,
    excerpt: null,
  };
}

/** Each finding once: a base's findings come with every environment that extends it. */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ file, line, column, code, message }: Diagnostic): string => JSON.stringify([file, line, column, code, message]);
  return [...new Map(diagnostics.map((diagnostic) => [key(diagnostic), diagnostic])).values()];
}
