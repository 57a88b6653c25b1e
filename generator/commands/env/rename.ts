import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "yaml";
import { Repository } from "../../bundle/repository.ts";
import { ownFluxFiles, stepsAfterRename } from "../../diff/after-rename.ts";
import { withCopiedRules } from "../../identity/environment-rules.ts";
import { sopsConfigFile } from "../../identity/sops-config.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { spliceOne } from "../../kubernetes/splice.ts";
import { loadEnvironment } from "../../lint/load.ts";
import { environmentsFolder, fluxFolder, fluxRootFolder, specFile } from "../../spec/layout.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathsWithin, readIfExists, removeFile, writeAtomic } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import type { Io } from "../io.ts";
import { type DirectoryOption, refuseUnknown, repositoryIn } from "../load.ts";
import { columns, wrap } from "../terminal/wrap.ts";
import { refuseUnlessFree } from "./add.ts";
import { generateAll, identityFilesOf, removeIdentity } from "./files.ts";

/**
 * `meshops env rename <env> <new-name>`: renames the spec, the identity files and the creation rules in `.sops.yaml`,
 * and generates all environments. The command first copies the identity files and moves the spec, then generates all
 * environments, and then removes the old identity files. Because of this order, the user can run the same command again
 * if a run is interrupted.
 */
export async function rename(
  [name = "", newName = ""]: readonly string[],
  { directory }: DirectoryOption,
  io: Io,
): Promise<number> {
  const repository = repositoryIn(io, directory);
  const resumed = refuseUnlessRenamable(repository, name, newName);
  await withLock(repository.root, async () => moveSpec(repository, name, newName, resumed));
  const code = await generateAll(directory, io);
  if (code !== exitCode.ok) {
    io.stderr.write(`the rename is not complete: correct the findings, and run meshops env rename ${name} ${newName} again\n`);
    return code;
  }
  await withLock(repository.root, async () => {
    moveFluxFiles(repository.root, name, newName);
    removeIdentity(repository.root, name);
  });
  const { environment, abstract } = loadEnvironment(newName, new Repository(repository.root).source);
  const steps = stepsAfterRename(repository.root, abstract ? null : environment, { from: name, to: newName });
  io.stdout.write(`renamed ${name} to ${newName}\n\nnext:\n`);
  for (const [index, { text, command }] of steps.entries()) {
    io.stdout.write(`${wrap(`${index + 1}. ${text}`, "  ", columns, "   ").join("\n")}\n`);
    if (command !== undefined) io.stdout.write(`       ${command}\n`);
  }
  return exitCode.ok;
}

/**
 * The folder `flux/<name>` can contain files that meshops did not generate. Moves these files to `flux/<newName>`. In
 * the files of `flux bootstrap git` (folder flux-system), also changes the path of the root Kustomization. If a file
 * stayed in the old folder, Flux would still find this folder, but without the generated files of the components. Flux
 * would then delete the components.
 */
function moveFluxFiles(root: string, name: string, newName: string): void {
  const within = pathsWithin(root);
  const [folder, target] = [fluxFolder(name), fluxFolder(newName)];
  const ofName = new RegExp(`\\b${folder}(?=["'\\s/]|$)`, "gm");
  for (const path of ownFluxFiles(root, name)) {
    const text = readFileSync(join(root, path), "utf8");
    const isOfFlux = path.startsWith(`${folder}/flux-system/`);
    writeAtomic(within(path.replace(folder, target)), isOfFlux ? text.replaceAll(ofName, target) : text);
    removeFile(within(path), join(root, fluxRootFolder));
  }
}

/**
 * Checks that the environment can be renamed. Returns true if an interrupted run has already moved the spec.
 *
 * @throws UserError (usage) if the old name has no spec, or if the new name is not valid or already has a spec
 */
function refuseUnlessRenamable(repository: Repository, name: string, newName: string): boolean {
  const known = repository.environmentNames();
  const leftovers = identityFilesOf(repository.root, name).length > 0;
  if (!known.includes(name) && known.includes(newName) && leftovers) return true;
  refuseUnknown(repository, [name]);
  // If a run was interrupted after it wrote the new spec, two specs exist that differ only in metadata.name. In this
  // case, continue.
  const halfDone = known.includes(newName) && specText(repository, newName) === renamedSpec(repository, name, newName);
  if (!halfDone) refuseUnlessFree(newName, known);
  return false;
}

/**
 * Copies the identity files and creation rules. If `resumed` is false, also writes the new spec, changes the field
 * `extends` in the specs that extend the old spec, and removes the old spec.
 */
function moveSpec(repository: Repository, name: string, newName: string, resumed: boolean): void {
  const { root } = repository;
  const within = pathsWithin(root);
  for (const path of identityFilesOf(root, name)) {
    const target = path.replace(`/${name}/`, `/${newName}/`);
    writeAtomic(within(target), readFileSync(join(root, path), "utf8"));
  }
  const rules = readIfExists(join(root, sopsConfigFile));
  if (rules !== null) writeAtomic(within(sopsConfigFile), withCopiedRules(rules, name, newName));
  if (resumed) return;
  writeAtomic(within(specFile(newName)), renamedSpec(repository, name, newName));
  for (const other of repository.environmentNames()) {
    const source = repository.source(other);
    if (source?.document == null || at(source.value, "spec", "extends") !== name) continue;
    const edits = [{ op: "set", path: ["spec", "extends"], value: newName } as const];
    writeAtomic(within(specFile(other)), spliceOne(source.document, source.text, edits));
  }
  removeFile(within(specFile(name)), join(root, environmentsFolder));
}

function specText(repository: Repository, name: string): string | null {
  return readIfExists(join(repository.root, specFile(name)));
}

/**
 * Returns the text of a spec with the new name in metadata.name.
 *
 * @throws UserError (problem) if the spec cannot be parsed
 */
function renamedSpec(repository: Repository, name: string, newName: string): string {
  const text = specText(repository, name) ?? "";
  const document: Document | null = repository.source(name)?.document?.clone() ?? null;
  if (document === null) throw new UserError(exitCode.problem, `cannot parse ${specFile(name)}`, `run meshops validate ${name}`);
  return spliceOne(document, text, [{ op: "set", path: ["metadata", "name"], value: newName }]);
}
