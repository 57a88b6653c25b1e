import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { inventoryFile, inventoryText, scaffoldOwner } from "../../bundle/inventory.ts";
import { distinct, hasErrors } from "../../diagnostics/diagnostic.ts";
import { loadEnvironment } from "../../lint/load.ts";
import { specFile } from "../../spec/layout.ts";
import { parseSource } from "../../spec/parse.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { findUp, pathsWithin, readPathState, writeAtomic } from "../../system/files.ts";
import { placeInGit } from "../../system/git-place.ts";
import { programFolder } from "../../system/program-folder.ts";
import { shellWord } from "../../system/shell.ts";
import { compareText, plural } from "../../system/text.ts";
import { identityFilesOf } from "../env/files.ts";
import type { Io } from "../io.ts";
import { printDiagnostics } from "../load.ts";
import { type Answers, platformName } from "./answers.ts";
import { baseAssets, clientAssets, templateAssets } from "./assets.ts";
import type { InitOptions } from "./options.ts";
import { ownPackage } from "./own-package.ts";
import { ask } from "./questions.ts";
import { type ScaffoldFile, scaffold, vendoredPackage } from "./scaffold.ts";
import { scaffoldInventory } from "./tracked.ts";

/**
 * `meshops init [dir]`: creates a platform repository. If the folder is not empty and neither `--keep` nor `--force` is
 * set, prints the files that the command would write, and stops.
 */
export async function init([folder = "."]: readonly string[], options: InitOptions, io: Io): Promise<number> {
  const root = resolve(io.cwd, options.directory, folder);
  const path = placeInGit(root) ?? ".";
  const answers = await ask(io, options, platformName(options.name ?? basename(root)), path);
  const files = scaffold(answers, { templates: templateAssets(), bases: baseAssets(), clients: clientAssets() }, clientVersion());
  if (!isValid(io, files, answers)) return exitCode.usage;
  const empty = isEmpty(root);
  const existing = files.filter(({ path }) => readPathState(join(root, path)).kind !== "nothing");
  const known = new Set(existing);
  if (!empty && !options.force && !options.keep) {
    for (const file of files) io.stdout.write(`${(known.has(file) ? "exists" : "create").padEnd(7)} ${file.path}\n`);
    throw new UserError(
      exitCode.problem,
      `nothing written: ${root} is not empty`,
      `add --keep to write only the missing files${existing.length === 0 ? "" : `, or --force to also overwrite ${plural(existing.length, "file")}`}`,
    );
  }
  write(io, root, options.keep ? files.filter((file) => !known.has(file)) : files);
  if (options.keep) for (const { path } of existing) io.stdout.write(`keep    ${path}\n`);
  recordScaffold(root, files);
  await writePackage(io, root);
  printNext(io, root, answers, options.keep && existing.some(({ path }) => path === "package.json"));
  return exitCode.ok;
}

function write(io: Io, root: string, files: readonly ScaffoldFile[]): void {
  mkdirSync(root, { recursive: true });
  const within = pathsWithin(realpathSync(root));
  const { dim } = io.stdout.colors;
  const targets = files.map((file) => ({ ...file, target: within(file.path) }));
  for (const { target, text, executable } of targets) writeAtomic(target, text, executable ? { mode: 0o755 } : {});
  // Print a single line for all files in bases/. These files are numerous, and they are the same in all repositories.
  const bases = files.filter(({ path }) => path.startsWith("bases/"));
  const lines = files.filter((file) => !bases.includes(file)).map(({ path }) => path);
  if (bases.length > 0) lines.push(`bases/ (${plural(bases.length, "file")})`);
  for (const path of lines.sort(compareText)) io.stdout.write(`${dim("create ")} ${path}\n`);
}

/**
 * Writes the running version of meshops to the repository as an npm package. The package.json of the repository refers
 * to this package.
 */
async function writePackage(io: Io, root: string): Promise<void> {
  const target = pathsWithin(realpathSync(root))(vendoredPackage);
  const exists = existsSync(target);
  if (!exists) writeAtomic(target, await ownPackage());
  io.stdout.write(`${io.stdout.colors.dim(exists ? "keep   " : "create ")} ${vendoredPackage}\n`);
}

/**
 * Records the hashes of the bases, hooks and workflows in an inventory. Later versions of meshops use this inventory to
 * recognize the files that a user has edited, and update only the other files.
 */
function recordScaffold(root: string, files: readonly ScaffoldFile[]): void {
  const target = pathsWithin(realpathSync(root))(inventoryFile(scaffoldOwner));
  writeAtomic(target, inventoryText(scaffoldInventory(files)));
}

/**
 * @param ownPackage whether the folder already contained a package.json. In this case, the user must add meshops to
 * this package.json
 */
function printNext(io: Io, root: string, { environments, branch, existingLinkerd }: Answers, ownPackage: boolean): void {
  const folder = relative(io.cwd, root);
  const install = ownPackage
    ? `npm install --save-dev ./${vendoredPackage} @kubernetes/client-node@${shellWord(clientVersion())} && node .githooks/install.mjs`
    : "npm install";
  const around = existsSync(join(root, ".git")) ? null : findUp(dirname(root), ".git");
  const lines = [
    ...(folder === "" ? [] : [`cd ${shellWord(folder)}`]),
    around === null ? `git init -b ${branch} && ${install}` : install,
    ...environments
      .filter((name) => !existingLinkerd && identityFilesOf(root, name).length === 0)
      .map((name) => `npx meshops identity keygen ${name} --write && npx meshops identity init ${name}`),
    "npx meshops generate",
  ];
  io.stdout.write(`\nnext:\n${lines.map((line) => `  ${line}\n`).join("")}see README.md for the remaining steps\n`);
  if (around !== null) printSubfolder(io, relative(around, root));
}

/**
 * Prints the additional commands that the user must run if the platform repository is a subfolder of a Git repository.
 * These commands copy the workflows, because GitHub reads only workflows in the root of a Git repository.
 */
function printSubfolder(io: Io, folder: string): void {
  const name = folder.replaceAll(/[^A-Za-z0-9]+/g, "-");
  const copy = (workflow: string): string =>
    `sed 's|PLATFORM: "."|PLATFORM: "${folder}"|' ${shellWord(`${folder}/.github/workflows/${workflow}.yml`)} > .github/workflows/${workflow}-${name}.yml`;
  const lines = [
    "mkdir -p .github/workflows",
    copy("meshops"),
    copy("certificates"),
    `git config core.hooksPath ${shellWord(`${folder}/.githooks`)}   # only if the repository has no other hooks`,
  ];
  io.stdout.write(
    `\n${folder} is a subfolder of a Git repository. To use the workflows and the hook of this folder, run these commands in the root of the Git repository:\n${lines.map((line) => `  ${line}\n`).join("")}`,
  );
  io.stdout.write(
    `If the Git repository already has a pre-commit hook, add this line to the existing hook: sh ${folder}/.githooks/pre-commit\n`,
  );
}

/** Returns whether the specs of the new repository are valid. If they are not, prints the findings about the specs. */
function isValid(io: Io, files: readonly ScaffoldFile[], { environments }: Answers): boolean {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const found = environments.flatMap((name) => {
    const { diagnostics } = loadEnvironment(name, (wanted) => {
      const text = texts.get(specFile(wanted));
      return text === undefined ? null : parseSource(specFile(wanted), text);
    });
    // Ignore missing recipients, because the user adds them later with `identity keygen`.
    return diagnostics.filter(({ code }) => code !== "missing-key");
  });
  if (hasErrors(found)) printDiagnostics(io.stderr, distinct(found));
  return !hasErrors(found);
}

/** Returns whether a folder is empty, does not exist, or contains only `.git`. */
function isEmpty(root: string): boolean {
  try {
    return readdirSync(root).every((name) => name === ".git");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "ENOTDIR") throw new UserError(exitCode.usage, `${root} is not a folder`, "specify a folder");
    throw error;
  }
}

/** Returns the version of `@kubernetes/client-node` in `peerDependencies` of the package.json of meshops. */
function clientVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", programFolder), "utf8")) as {
    peerDependencies: Record<string, string>;
  };
  return manifest.peerDependencies["@kubernetes/client-node"] ?? "*";
}
