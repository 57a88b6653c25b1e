import { hasErrors } from "../spec/diagnostic.ts";
import { exitCode } from "../user-error.ts";
import { Repository } from "../workspace/repository.ts";
import { type CommonOptions, countOf, loadAll, plural, printDiagnostics } from "./context.ts";

/** `meshops validate [env…]`: reports every problem of the specs at once. */
export function validate(names: readonly string[], options: CommonOptions): number {
  const { loaded, diagnostics } = loadAll(new Repository(options.directory), names);
  printDiagnostics(diagnostics, options.output);
  if (options.output === "text") {
    const checked = `${plural(loaded.length, "environment")} checked`;
    process.stderr.write(diagnostics.length === 0 ? `${checked}, all valid\n` : `${checked}: ${countOf(diagnostics)}\n`);
  }
  return hasErrors(diagnostics) ? exitCode.problem : exitCode.ok;
}
