import { type AccessCell, accessTable } from "../../components/access-table.ts";
import { modelOf } from "../../components/build.ts";
import { hasErrors } from "../../diagnostics/diagnostic.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { type CommonOptions, concrete, loadAll, printDiagnostics, repositoryIn } from "../context.ts";
import type { Io } from "../io.ts";
import { explain, renderAccess } from "./render-access.ts";

interface AccessOptions extends CommonOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * `meshops access <env>`: prints which clients reach which ports. With `--from` and `--to`, explains each connection.
 *
 * @throws UserError (usage) if the environment contains no such client or pods
 */
export function access(names: readonly string[], options: AccessOptions, io: Io): number {
  const { loaded, diagnostics } = loadAll(repositoryIn(io, options.directory), names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(io.stderr, diagnostics);
    return exitCode.problem;
  }
  const [environment] = concrete(loaded, names);
  if (environment === undefined) throw new Error("an environment without errors is loaded");
  const cells = selected(accessTable(modelOf(environment)), options);
  if (options.output === "json") io.stdout.write(`${JSON.stringify(cells, null, 2)}\n`);
  else if (cells.length === 0) io.stdout.write("no pods with ports are described in this environment\n");
  else io.stdout.write(options.from !== undefined && options.to !== undefined ? explain(cells) : renderAccess(cells));
  return exitCode.ok;
}

function selected(cells: readonly AccessCell[], { from, to }: AccessOptions): AccessCell[] {
  const [pods, port] = to?.split(":") ?? [];
  if (from !== undefined)
    requireName(
      from,
      "client",
      cells.map(({ client }) => client),
    );
  if (pods !== undefined)
    requireName(
      pods,
      "set of pods",
      cells.map(({ server }) => server),
    );
  const found = cells.filter((cell) => (from ?? cell.client) === cell.client && (pods ?? cell.server) === cell.server);
  if (port === undefined) return found;
  const ofPort = found.filter((cell) => cell.key === port || String(cell.port) === port);
  if (ofPort.length === 0)
    requireName(
      port,
      "port",
      found.map(({ key }) => key),
    );
  return ofPort;
}

function requireName(name: string, what: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const names = [...new Set(known)];
  throw new UserError(
    exitCode.usage,
    `the environment has no ${what} ${name}`,
    didYouMean(name, names) ?? `use one of ${names.join(", ")}`,
  );
}
