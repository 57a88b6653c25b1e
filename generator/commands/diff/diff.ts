import { bundlesOf, wantedBundles } from "../../bundle/wanted-bundles.ts";
import { isAtLeast, type Risk } from "../../components/risk-levels.ts";
import { openCommit } from "../../diff/commit.ts";
import { compareWithCommit } from "../../diff/compare.ts";
import { changedFiles, ownersIn } from "../../diff/owned-files.ts";
import { identitiesAtHand } from "../../identity/age-keys.ts";
import { basesFolder } from "../../spec/layout.ts";
import { exitCode } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { repositoryIn } from "../load.ts";
import { renderEnvironments } from "../render-environments.ts";
import { withProgress } from "../terminal/progress.ts";
import { diffJson, diffMarkdown, diffText, highestRisk, summary } from "./render-diff.ts";

interface DiffOptions {
  readonly directory: string;
  readonly output: "text" | "json" | "markdown";
  /** Commit to compare with the files that `generate` would write. */
  readonly from: string;
  /** Exit 1 only if a change has at least this risk. */
  readonly failOn?: Risk;
  /** Show the changes of bases, hooks and workflows instead of the changed objects. */
  readonly scaffold: boolean;
}

/**
 * `meshops diff [env…]`: compares a commit with the files that `generate` would write. Prints the objects that differ,
 * and the risk of each change.
 */
export async function diff(names: readonly string[], options: DiffOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  if (options.scaffold) {
    const { scaffoldPatch } = await import("./scaffold.ts");
    const patch = scaffoldPatch(repository.root);
    io.stdout.write(patch);
    return patch === "" ? exitCode.ok : exitCode.problem;
  }
  const rendered = renderEnvironments(io, repository, names);
  if (rendered === null) return exitCode.problem;
  const tree = await openCommit(repository.root, options.from);
  const changes = await compareWithCommit({
    repository,
    commit: tree,
    wanted: wantedBundles(repository, bundlesOf(rendered), true, { others: ownersIn(tree) }),
    withRemoved: names.length === 0,
    identities: () =>
      identitiesAtHand(io.env, (message) => io.stderr.write(`${message}; encrypted files are compared without decryption\n`)),
    progress: (items) => withProgress(io, "comparing", items),
  });
  if (options.output === "json") io.stdout.write(diffJson(changes));
  else if (options.output === "markdown") io.stdout.write(diffMarkdown(changes, options.from));
  else {
    io.stdout.write(diffText(changes, io.stdout.colors));
    // List changed files in bases/, because `meshops diff` does not assess the risk of changes to these files.
    const bases = changedFiles(repository.root, tree, basesFolder);
    if (bases.length > 0)
      io.stdout.write(`${changes.length === 0 ? "" : "\n"}changed files whose risk is not assessed: ${bases.join(", ")}\n`);
    io.stdout.write(`${changes.length === 0 ? "" : "\n"}${summary(changes)} (compared with ${options.from})\n`);
  }
  const failed =
    options.failOn === undefined ? changes.length > 0 : changes.length > 0 && isAtLeast(highestRisk(changes), options.failOn);
  return failed ? exitCode.problem : exitCode.ok;
}
