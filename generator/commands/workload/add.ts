import { blockOf } from "../../inject/describe/block.ts";
import { describe } from "../../inject/describe/describe.ts";
import { insertWorkload } from "../../inject/describe/insert.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { specFile } from "../../spec/layout.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathWithin, readIfExists, writeAtomic } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import { plural } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { type ConnectionFlags, soleEnvironment } from "../kubeconfig.ts";
import { type DirectoryOption, loadAll, refuseUnknown, repositoryIn, selectConcrete } from "../load.ts";
import { manifestsFrom, type Sources, sourceOf } from "./sources.ts";

type AddOptions = DirectoryOption &
  ConnectionFlags &
  Sources & {
    readonly env?: string | undefined;
    readonly namespace?: string | undefined;
    readonly print: boolean;
    /** False with `--no-source`, which means that meshops does not install the service. */
    readonly source: boolean;
  };

/**
 * `meshops workload add <name>`: creates the block of a workload from manifests, and inserts the block into
 * `spec.workloads`. If the manifests do not specify a value, meshops guesses the value, and marks it with a comment.
 *
 * @throws UserError if the options specify no manifests, if the manifests contain no pods, or if the block cannot be
 * inserted into the spec
 */
export async function add([name = ""]: readonly string[], options: AddOptions, io: Io): Promise<number> {
  if (!/^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$/.test(name))
    throw new UserError(
      exitCode.usage,
      `${name} is not a valid workload name`,
      "use at most 30 lower-case letters, digits and '-'",
    );
  const repository = repositoryIn(io, options.directory);
  const environment = options.env ?? soleEnvironment(repository);
  refuseUnknown(repository, [environment]);
  const [resolved] = selectConcrete(loadAll(repository, [environment]).loaded, [environment]);
  if (!options.print && resolved?.spec.workloads[name] !== undefined)
    throw new UserError(
      exitCode.problem,
      `the spec of environment ${environment}, or a spec that it extends, already contains the workload ${name}`,
      "use another name, or add --print to print the description without changing the spec",
    );
  const source = options.source ? sourceOf(options, repository, io) : null;
  const manifests = await manifestsFrom(name, options, repository, environment, io);
  const namespace = options.namespace ?? options.fromCluster ?? namespaceOf(manifests) ?? name;
  const described = describe(manifests, name, namespace, source);
  if (described.sets.length === 0)
    throw new UserError(
      exitCode.problem,
      `the manifests contain no Deployment, StatefulSet, DaemonSet, Job or CronJob in namespace ${namespace}`,
      "check the manifests, or set --namespace",
    );
  const block = blockOf(described);
  if (options.print) {
    io.stdout.write(`${block.join("\n")}\n`);
    return exitCode.ok;
  }
  const file = specFile(environment);
  return withLock(repository.root, async () => {
    const path = pathWithin(repository.root, file);
    const inserted = insertWorkload(readIfExists(path) ?? "", name, block);
    if (inserted === "exists")
      throw new UserError(
        exitCode.problem,
        `${file} already contains the workload ${name}`,
        "use another name, or add --print to print the description without changing the spec",
      );
    if (inserted === "not-a-block")
      throw new UserError(
        exitCode.problem,
        `cannot insert the workload into ${file}, because spec or spec.workloads is not an indented block in this file`,
        "run the command with --print, and insert the printed lines into the spec by hand",
      );
    writeAtomic(path, inserted);
    const guesses = block.filter((line) => /^ *# guess:/.test(line)).length;
    io.stdout.write(
      `update  ${file}: ${plural(described.sets.length, "pod template")} in namespace ${namespace}, ${plural(guesses, "guessed value")}\n\nnext:\n`,
    );
    for (const step of [
      `in ${file}, check each value below a comment "# guess", and then remove the comment`,
      `meshops validate ${environment}`,
      `meshops access ${environment}`,
      "meshops generate",
    ])
      io.stdout.write(`  ${step}\n`);
    return exitCode.ok;
  });
}

/** Returns the namespace that the manifests specify. Returns null if the manifests specify no namespace, or several. */
function namespaceOf(manifests: readonly Manifest[]): string | null {
  const names = [...new Set(manifests.map(({ namespace }) => namespace).filter((each) => each !== ""))];
  return names.length === 1 ? (names[0] ?? null) : null;
}
