import { linkerdRelease, newestRelease } from "../../catalog/linkerd.ts";
import { accessTable } from "../../components/access-table.ts";
import { modelOf } from "../../components/build.ts";
import { hasErrors } from "../../diagnostics/diagnostic.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { type AccessCell, otherMeshed } from "../../mesh/access-cells.ts";
import { manifestAccess } from "../../mesh/manifest-access.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { knownVersion } from "../linkerd-version.ts";
import { type CommonOptions, loadAll, printDiagnostics, repositoryIn, selectConcrete } from "../load.ts";
import { readManifestFiles } from "../manifest-files.ts";
import { explain, renderAccess } from "./render-access.ts";

interface AccessOptions extends CommonOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly manifests?: string | undefined;
  readonly linkerd?: string | undefined;
}

/**
 * `meshops access <env>` and `meshops access --manifests <path>`: prints a table with the clients, and with the ports
 * to which each client can connect. With `--from` and `--to`, explains each connection.
 *
 * @throws UserError (usage) if the client or the set of pods does not exist
 */
export function access(names: readonly string[], options: AccessOptions, io: Io): number {
  if (options.manifests !== undefined && names.length > 0)
    throw new UserError(
      exitCode.usage,
      "--manifests cannot be used together with an environment",
      "omit --manifests, or omit the name of the environment",
    );
  if (options.manifests === undefined && options.linkerd !== undefined)
    throw new UserError(exitCode.usage, "--linkerd requires --manifests", "for an environment, set linkerd.version in the spec");
  const all = options.manifests === undefined ? ofEnvironment(names, options, io) : ofManifests(options.manifests, options, io);
  if (all === null) return exitCode.problem;
  const cells = selected(all, options);
  if (options.output === "json") io.stdout.write(`${JSON.stringify(cells, null, 2)}\n`);
  else if (cells.length === 0) io.stdout.write("no pods with ports found\n");
  else io.stdout.write(options.from !== undefined && options.to !== undefined ? explain(cells) : renderAccess(cells));
  return exitCode.ok;
}

/**
 * Returns the cells of the access table for an environment, according to the policies that meshops generates. If the
 * spec has errors, prints the findings and returns null.
 */
function ofEnvironment(names: readonly string[], options: AccessOptions, io: Io): AccessCell[] | null {
  if (names.length === 0)
    throw new UserError(exitCode.usage, "no environment was specified", "specify an environment, or add --manifests");
  const { loaded, diagnostics } = loadAll(repositoryIn(io, options.directory), names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(io.stderr, diagnostics);
    return null;
  }
  const [environment] = selectConcrete(loaded, names);
  if (environment === undefined) throw new Error("the environment was not loaded, although no errors were found");
  return accessTable(modelOf(environment));
}

/**
 * Returns the cells of the access table for manifests, according to the policies in the manifests. Prints the findings.
 * Returns null if one of the findings is an error.
 */
function ofManifests(path: string, { linkerd }: AccessOptions, io: Io): AccessCell[] | null {
  const read = readManifestFiles(io, path).files.map(({ file, text }) => parseManifests(file, text));
  const diagnostics = read.flatMap((each) => each.diagnostics);
  printDiagnostics(io.stderr, diagnostics);
  if (hasErrors(diagnostics)) return null;
  return manifestAccess(
    read.flatMap(({ objects }) => objects),
    { release: linkerd === undefined ? newestRelease() : linkerdRelease(knownVersion(linkerd)) },
  );
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
      "pods",
      cells.map(({ server }) => server),
    );
  const found = cells.filter((cell) => (from ?? cell.client) === cell.client && (pods ?? cell.server) === cell.server);
  if (found.length === 0 && (from === undefined || pods === undefined))
    throw new UserError(
      exitCode.problem,
      "no pods with ports found",
      "for an environment, add pods and their ports to spec.workloads; with --manifests, include Deployments or Pods that declare containerPorts",
    );
  if (found.length === 0)
    throw new UserError(
      exitCode.usage,
      `${from} is a client of other pods, but not of ${pods}`,
      `to see the access of meshed clients that are not listed, run the command with --from "${otherMeshed}"`,
    );
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
  throw new UserError(exitCode.usage, `no ${what} "${name}" found`, didYouMean(name, names) ?? `use one of ${names.join(", ")}`);
}
