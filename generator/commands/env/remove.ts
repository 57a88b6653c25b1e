import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  kustomizationName,
  type Placement,
  pathInSource,
  placementOf,
  rootFolder,
  rootPath,
} from "../../bundle/emit/placement.ts";
import { inventoryFile } from "../../bundle/inventory.ts";
import type { Repository } from "../../bundle/repository.ts";
import { type ClusterReader, connect } from "../../cluster/connection.ts";
import { storedReleases } from "../../cluster/status/helm/stored-release.ts";
import { modelOf } from "../../components/build.ts";
import { isDelivered } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { environmentsFolder, overlayFolder, specFile } from "../../spec/layout.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathsWithin, removeFile } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import type { Io } from "../io.ts";
import { type ConnectionFlags, connectionOf } from "../kubeconfig.ts";
import { type DirectoryOption, loadOne, refuseUnknown, repositoryIn } from "../load.ts";
import { generateAll, identityFilesOf, removeIdentity } from "./files.ts";

type RemoveOptions = DirectoryOption &
  ConnectionFlags & { readonly force: boolean; readonly purge: boolean; readonly fluxNamespace?: string };

/**
 * `meshops env remove <env>`: removes the spec and the generated files of an environment that is no longer deployed.
 * Keeps the certificates and encrypted files, unless `--purge` is set. If a run is interrupted, the user can run the
 * same command again to complete the removal. If an interrupted run with `--purge` has already removed the spec, the
 * user must add `--force` to the second run.
 */
export async function remove([name = ""]: readonly string[], options: RemoveOptions, io: Io): Promise<number> {
  const { directory, force, purge } = options;
  const repository = repositoryIn(io, directory);
  const { root } = repository;
  const known = repository.environmentNames();
  const interrupted = existsSync(join(root, inventoryFile(name))) || identityFilesOf(root, name).length > 0;
  if (!interrupted) refuseUnknown(repository, [name]);
  if (known.includes(name)) {
    refuseIfExtended(repository, name, known);
    if (!force) await refuseIfRunning(loadOne(io, repository, name), options, io);
    await withLock(root, async () => removeFile(pathsWithin(root)(specFile(name)), join(root, environmentsFolder)));
  } else if (purge && !force && identityFilesOf(root, name).length > 0)
    throw new UserError(
      exitCode.problem,
      `cannot check whether ${name} is still deployed, because ${specFile(name)} does not exist`,
      `restore the spec from Git; if you know that the environment is no longer deployed, add --force`,
    );
  const code = await generateAll(directory, io);
  if (code !== exitCode.ok) return code;
  const kept = identityFilesOf(root, name);
  if (purge) await withLock(root, async () => removeIdentity(root, name));
  else if (kept.length > 0) {
    io.stdout.write(`certificates and encrypted files of ${name} are kept:\n${kept.map((path) => `  ${path}\n`).join("")}`);
    io.stdout.write(
      `to remove these files, first check that the environment is no longer deployed, then run meshops env remove ${name} --purge --force\n`,
    );
  }
  return exitCode.ok;
}

/** @throws UserError (problem) if another spec extends the spec of the environment */
function refuseIfExtended(repository: Repository, name: string, known: readonly string[]): void {
  const heirs = known.filter((other) => at(repository.source(other)?.value, "spec", "extends") === name);
  if (heirs.length > 0)
    throw new UserError(
      exitCode.problem,
      `cannot remove ${name}, because other specs extend ${name}: ${heirs.map(specFile).join(", ")}`,
      "first change spec.extends in these specs",
    );
}

/**
 * @throws UserError (problem) if the environment is still deployed in its cluster, or if meshops cannot read the
 * cluster
 */
async function refuseIfRunning(environment: Environment, options: RemoveOptions, io: Io): Promise<void> {
  const { name } = environment.metadata;
  let running: string | null;
  try {
    const placement = placementOf(environment, options.fluxNamespace);
    running = await runningPart(await connect(connectionOf(io, environment, options)), environment, placement);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      exitCode.problem,
      `cannot check whether ${name} is still deployed: ${error.message}`,
      "if you know that the environment is no longer deployed, add --force",
    );
  }
  if (running !== null)
    throw new UserError(
      exitCode.problem,
      `${name} is still deployed in its cluster: ${running}`,
      `first run meshops teardown ${name} --run, which needs the spec; then remove the environment`,
    );
}

/**
 * Returns a text that names a Kustomization or Helm release of the environment in the cluster. Returns null if the
 * cluster contains no such object.
 */
async function runningPart(cluster: ClusterReader, environment: Environment, placement: Placement): Promise<string | null> {
  const { root, managesRoot, namespace } = placement;
  const get = (name: string, from: string): Promise<KubernetesObject | null> =>
    cluster.get("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, from);
  if (managesRoot && at(await get(root.name, root.namespace), "spec", "path") === rootPath(environment))
    return `Kustomization ${root.name} applies ${rootFolder(environment)}`;
  const components = modelOf(environment).components.filter(isDelivered);
  for (const { id } of managesRoot ? [] : components) {
    const own = kustomizationName(placement, id);
    if (at(await get(own, namespace), "spec", "path") === pathInSource(placement, overlayFolder(environment.metadata.name, id)))
      return `Kustomization ${own} in namespace ${namespace}`;
  }
  const [release] = await storedReleases(cluster, [...new Set(components.map(({ namespace }) => namespace))]);
  return release === undefined ? null : `Helm release ${release.namespace}/${release.name}`;
}
