import { hasErrors } from "../../diagnostics/diagnostic.ts";
import type { Note } from "../../inject/change.ts";
import { readInjection } from "../../inject/config.ts";
import { transform } from "../../inject/transform.ts";
import { toDiagnostic } from "../../lint/manifests.ts";
import { parseSource } from "../../spec/parse.ts";
import { exitCode } from "../../system/errors.ts";
import { printable } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { printDiagnostics, readText } from "../load.ts";

/**
 * `meshops inject <config>`: reads manifests from stdin, adds injection annotations and policies, and prints the result
 * to stdout. If a finding is an error, prints nothing to stdout.
 */
export function inject([path = ""]: readonly string[], _: unknown, io: Io): number {
  const { injection, diagnostics } = readInjection(parseSource(path, readText(io, path)));
  printDiagnostics(io.stderr, diagnostics);
  if (injection === null) return exitCode.problem;
  const result = transform(readText(io, 0), injection);
  // Report all findings of the mesh rules as warnings, because the user might be unable to change the manifests. Other
  // commands report some of these findings as errors.
  const warnings = result.findings.map((each) => ({ ...toDiagnostic(each), severity: "warning" as const }));
  printDiagnostics(io.stderr, [...result.diagnostics, ...warnings]);
  io.stderr.write(result.notes.map((note) => line(note, io)).join(""));
  if (hasErrors(result.diagnostics) || result.notes.some(({ severity }) => severity === "error")) return exitCode.problem;
  if (result.selected === 0 && result.text.trim() !== "")
    io.stderr.write("the MeshInjection selects no workload, so no manifest is changed\n");
  // If a chart renders no objects, print a comment, because Helm fails if the output of a post-renderer is empty.
  io.stdout.write(result.text.trim() === "" ? "# no manifests on stdin\n" : result.text);
  return exitCode.ok;
}

function line({ manifest: { kind, namespace, name }, severity, message }: Note, io: Io): string {
  const { red, yellow, dim } = io.stderr.colors;
  const paint = { error: red, warning: yellow, info: dim }[severity];
  const where = namespace === "" ? name : `${namespace}/${name}`;
  return `${paint(severity)} ${printable(`${kind} ${where}`)}: ${printable(message)}\n`;
}
