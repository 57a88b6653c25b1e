import pc from "picocolors";
import type { Diagnostic } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { distinct, type Loaded, loadEnvironment, unknownEnvironment } from "../spec/load.ts";
import { toJson, toText } from "../spec/report.ts";
import type { Repository } from "../workspace/repository.ts";

/** What every command takes. */
export interface CommonOptions {
  readonly directory: string;
  readonly output: "text" | "json";
}

/** Colours for a stream: only on a terminal, and never with NO_COLOR. */
export function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  const wanted = process.env["NO_COLOR"] === undefined || process.env["NO_COLOR"] === "";
  return pc.createColors(wanted && (stream.isTTY === true || process.env["FORCE_COLOR"] === "1"));
}

/** Loads the named environments, or all; a name without a file becomes a diagnostic. */
export function loadAll(repository: Repository, names: readonly string[]): { loaded: Loaded[]; diagnostics: Diagnostic[] } {
  const known = repository.environmentNames();
  const wanted = names.length === 0 ? known : [...new Set(names)];
  const unknown = wanted.filter((name) => !known.includes(name)).map((name) => unknownEnvironment(name, known));
  const loaded = wanted.filter((name) => known.includes(name)).map((name) => loadEnvironment(name, repository.source));
  return { loaded, diagnostics: distinct([...unknown, ...loaded.flatMap(({ diagnostics }) => diagnostics)]) };
}

/** The environments that can be generated. */
export function concrete(loaded: readonly Loaded[]): Environment[] {
  return loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
}

/** Prints findings for people on stderr, or as the answer itself on stdout with `--output json`. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], output: CommonOptions["output"]): void {
  if (output === "json") process.stdout.write(toJson(diagnostics));
  else if (diagnostics.length > 0) process.stderr.write(`${toText(diagnostics, colorsFor(process.stderr))}\n`);
}

/** `1 error, 2 warnings` and the like. */
export function countOf(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  return [errors > 0 ? plural(errors, "error") : "", warnings > 0 ? plural(warnings, "warning") : ""].filter(Boolean).join(", ");
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
