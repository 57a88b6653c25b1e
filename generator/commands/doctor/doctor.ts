import { join, resolve } from "node:path";
import { messageWithExpected } from "../../diagnostics/text.ts";
import { identitiesAtHand } from "../../identity/age-keys.ts";
import { encryptedFiles } from "../../identity/read-identity.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { signingKeysFile } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { readIfExists } from "../../system/files.ts";
import { plural, printable } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { connectionOf } from "../kubeconfig.ts";
import { type CommonOptions, loadAll, repositoryIn } from "../load.ts";
import { type Mark, paintMark } from "../terminal/marks.ts";
import { wrap } from "../terminal/wrap.ts";
import { lookAtAzure, lookAtKubeconfig } from "./access-checks.ts";
import type { DoctorCheck } from "./check.ts";
import { type EncryptedFiles, lookAtKeys } from "./key-checks.ts";
import { lookAtTools } from "./tool-checks.ts";

/**
 * `meshops doctor`: checks the installed tools, the kubeconfig contexts, the Azure account and the age keys, and shows
 * how to fix problems. Outside of a platform repository, checks only the tools.
 */
export async function doctor(_: readonly string[], options: CommonOptions, io: Io): Promise<number> {
  const { root, environments, broken } = loadRepository(io, options.directory);
  const group = (environment: string): EncryptedFiles => ({
    environment,
    files: textsOf(resolve(io.cwd, options.directory), environment),
  });
  const groups = [
    ...environments.filter((each) => !hasExternalIdentity(each)).map(({ metadata }) => group(metadata.name)),
    // If a spec cannot be loaded, the list of encrypted files that the environment needs is not known. Therefore, check
    // the keys of this environment only if encrypted files exist.
    ...broken.map(({ name }) => group(name)).filter(({ files }) => [...files.values()].some((text) => text !== null)),
  ];
  const anyOnAzure = environments.some(({ spec }) => spec.azure !== undefined);
  // `onAzure` is null (unknown) in two cases: the folder is not a platform repository, or a spec cannot be loaded and
  // no other environment is on Azure.
  const onAzure = anyOnAzure ? true : root === null || broken.length > 0 ? null : false;
  const checks = (
    await Promise.all([
      lookAtTools(
        io,
        onAzure,
        environments.map(({ spec }) => spec.helmfile.helmVersion),
      ),
      broken.map(brokenSpec),
      lookAtKubeconfig(
        io,
        environments.map((environment) => ({
          environment: environment.metadata.name,
          onAzure: environment.spec.azure !== undefined,
          ...connectionOf(io, environment, {}),
        })),
      ),
      lookAtAzure(io, environments),
      lookAtKeys(groups, await identitiesAtHand(io.env, (message) => io.stderr.write(`${message}\n`))),
    ])
  ).flat();
  if (options.output === "json") io.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else io.stdout.write(report(io, checks));
  if (root === null && options.output === "text")
    io.stdout.write("this folder is not a platform repository, so only the tools were checked\n");
  if (checks.some(({ status }) => status === "error")) return exitCode.missing;
  return broken.length > 0 ? exitCode.problem : exitCode.ok;
}

interface LoadedRepository {
  /** Root of the repository; null outside of a platform repository. */
  readonly root: string | null;
  readonly environments: readonly Environment[];
  /** Environments whose specs cannot be loaded. */
  readonly broken: readonly Loaded[];
}

function loadRepository(io: Io, directory: string): LoadedRepository {
  try {
    const repository = repositoryIn(io, directory);
    const { loaded } = loadAll(repository, []);
    return {
      root: repository.root,
      environments: loaded.flatMap(({ environment }) => (environment === null ? [] : [environment])),
      broken: loaded.filter(({ environment, abstract }) => environment === null && !abstract),
    };
  } catch (error) {
    if (error instanceof UserError) return { root: null, environments: [], broken: [] };
    throw error;
  }
}

/**
 * Returns the check for a spec that cannot be loaded. For this environment, `meshops doctor` checks neither the
 * kubeconfig context nor the Azure account.
 */
function brokenSpec({ name, diagnostics }: Loaded): DoctorCheck {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const found = `${plural(errors.length, "error")}${errors.length > 1 ? "; first error" : ""}: ${errors[0] === undefined ? "" : messageWithExpected(errors[0])}`;
  return { topic: "specs", name, status: "missing", found, fix: errors[0]?.fix ?? `run meshops validate ${name}` };
}

function textsOf(root: string, environment: string): Map<string, string | null> {
  const paths = [...encryptedFiles(root, environment), signingKeysFile(environment)];
  return new Map(paths.map((path) => [path, readIfExists(join(root, path))]));
}

const marks: Readonly<Record<DoctorCheck["status"], Mark>> = { ok: "ok", missing: "missing", error: "failed" };

function report(io: Io, checks: readonly DoctorCheck[]): string {
  const colors = io.stdout.colors;
  const { bold, cyan, dim } = colors;
  const fixLine = (line: string): string => line.replace(/fix: (.*)/, (_, text: string) => `${cyan("fix:")} ${dim(text)}`);
  const width = (topic: DoctorCheck["topic"]): number =>
    Math.max(...checks.filter((check) => check.topic === topic).map(({ name }) => name.length));
  const lines = checks.flatMap(({ topic, name, status, found, fix }, index) => [
    ...(checks[index - 1]?.topic === topic ? [] : [`${index === 0 ? "" : "\n"}${bold(topic)}`]),
    ...wrap(`${printable(name).padEnd(width(topic))}  ${printable(found)}`, "     ").map((line, row) =>
      row === 0 ? `  ${paintMark(marks[status], colors)} ${line.trimStart()}` : line,
    ),
    ...(fix === "" ? [] : wrap(`fix: ${printable(fix)}`, "     ").map((line, row) => (row === 0 ? fixLine(line) : dim(line)))),
  ]);
  return `${lines.join("\n")}\n`;
}
