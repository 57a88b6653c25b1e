import { didYouMean } from "../../diagnostics/suggest.ts";
import { at, mapAt } from "../../kubernetes/object-fields.ts";
import { loadEnvironment } from "../../lint/load.ts";
import { specFile } from "../../spec/layout.ts";
import { isEnvironmentName } from "../../spec/name.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathWithin, writeAtomic } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import { platformName } from "../init/answers.ts";
import { environmentSpec } from "../init/specs.ts";
import type { Io } from "../io.ts";
import { type DirectoryOption, repositoryIn } from "../load.ts";

type AddOptions = DirectoryOption & { readonly extends: string };

/** `meshops env add <env>`: writes a spec that extends another spec, and prints the next commands. */
export async function add([name = ""]: readonly string[], options: AddOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  refuseUnlessFree(name, repository.environmentNames());
  const base = repository.source(options.extends);
  if (base === null)
    throw new UserError(
      exitCode.usage,
      `the new spec cannot extend ${specFile(options.extends)}, because this file does not exist`,
      didYouMean(options.extends, repository.environmentNames()) ?? "specify another spec with --extends",
    );
  const parent = mapAt(base.value, "spec");
  const onAzure = "azure" in parent;
  const existingLinkerd = at(parent["linkerd"], "lifecycle") === "existing";
  return withLock(repository.root, async () => {
    const platform = platformName(repository.root.split(/[/\\]/).at(-1) ?? "");
    const [path, text] = environmentSpec(name, {
      name: platform,
      cluster: onAzure ? "aks" : "own",
      existingLinkerd,
      base: options.extends,
    });
    writeAtomic(pathWithin(repository.root, path), text);
    const { diagnostics } = loadEnvironment(name, repository.source);
    // Ignore missing recipients, because the command that the user runs next, `identity keygen`, adds the recipients.
    const open = diagnostics.filter(({ code }) => code !== "missing-key");
    io.stdout.write(`create  ${path}\n\nnext:\n`);
    for (const step of [
      ...(open.length === 0 ? [] : [`meshops validate ${name}, and correct ${path}`]),
      ...(existingLinkerd ? [] : [`meshops identity keygen ${name} --write`, `meshops identity init ${name}`]),
      "meshops generate",
      "git add --all, commit and push",
      `meshops bootstrap ${name} --run`,
      `meshops status ${name} --watch`,
    ])
      io.stdout.write(`  ${step}\n`);
    return exitCode.ok;
  });
}

/** @throws UserError (usage) if a name is not valid, or if an environment with this name already exists */
export function refuseUnlessFree(name: string, taken: readonly string[]): void {
  if (!isEnvironmentName(name))
    throw new UserError(
      exitCode.usage,
      `"${name}" is not a valid environment name`,
      "use lower-case letters, digits and dashes, such as staging",
    );
  if (taken.includes(name))
    throw new UserError(exitCode.usage, `${specFile(name)} already exists`, "use another name, or edit the existing file");
}
