import { createHash } from "node:crypto";
import { exitCode, UserError } from "../system/errors.ts";
import { runBinary, runProgram } from "../system/process.ts";
import { printable } from "../system/text.ts";

/**
 * The files of a commit, by path relative to the repository's root. `read` loads the text of files; the other methods
 * need only paths and hashes.
 */
export class GitTree {
  readonly #root: string;
  readonly #ids: ReadonlyMap<string, string>;
  readonly #algorithm: "sha1" | "sha256";

  private constructor(root: string, ids: ReadonlyMap<string, string>, algorithm: "sha1" | "sha256") {
    this.#root = root;
    this.#ids = ids;
    this.#algorithm = algorithm;
  }

  /**
   * Lists the files of a commit that are at or below the given paths.
   *
   * @param root the platform repository; can be a subfolder of the Git repository
   * @param ref any name of a commit: `HEAD`, `origin/main`, a tag
   * @param paths folders and files, relative to `root`. With `all`, the tree contains all files of the Git repository,
   *   and all paths are relative to the root of the Git repository
   * @throws UserError (missing) if git is not installed, if the folder is not in a Git repository, or if the commit
   *   does not exist
   */
  static async open(root: string, ref: string, paths: readonly string[] | "all"): Promise<GitTree> {
    const commit = await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`], ref);
    const chosen = paths === "all" ? ["--full-tree", commit.trim()] : [commit.trim(), "--", ...paths];
    const list = await git(root, ["ls-tree", "-r", "-z", ...chosen], ref);
    const ids = new Map<string, string>();
    for (const entry of list.split("\0")) {
      const [, id, path] = /^[0-7]+ blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
      if (id !== undefined && path !== undefined) ids.set(path, id);
    }
    const [first = ""] = ids.values();
    return new GitTree(root, ids, first.length === 64 ? "sha256" : "sha1");
  }

  /**
   * Returns the files of the same commit under the paths that `rename` returns. Omits files for which `rename` returns
   * null.
   */
  withPaths(rename: (path: string) => string | null): GitTree {
    const ids = [...this.#ids].flatMap(([path, id]): [string, string][] => {
      const renamed = rename(path);
      return renamed === null ? [] : [[renamed, id]];
    });
    return new GitTree(this.#root, new Map(ids), this.#algorithm);
  }

  paths(): Iterable<string> {
    return this.#ids.keys();
  }

  /** Whether the commit has a file with exactly this text. Compares hashes, without calling git. */
  holds(path: string, text: string): boolean {
    const id = this.#ids.get(path);
    return id !== undefined && id === this.#idOf(text);
  }

  /**
   * Returns Git's ID of a blob with this text. The ID is the hash of the word `blob`, the length of the text in bytes,
   * and the text.
   */
  #idOf(text: string): string {
    const content = Buffer.from(text);
    return createHash(this.#algorithm).update(`blob ${content.length}\0`).update(content).digest("hex");
  }

  /** Reads the texts of files in one call of git. Paths that do not exist in the commit are ignored. */
  async read(paths: Iterable<string>): Promise<Map<string, string>> {
    const wanted = [...paths].flatMap((path): [string, string][] => {
      const id = this.#ids.get(path);
      return id === undefined ? [] : [[path, id]];
    });
    if (wanted.length === 0) return new Map();
    const blobs = splitBatch(await batch(this.#root, wanted.map(([, id]) => `${id}\n`).join("")));
    return new Map(wanted.map(([path], index) => [path, blobs[index] ?? ""]));
  }
}

async function git(root: string, args: readonly string[], ref: string): Promise<string> {
  const { stdout, stderr, code, absent } = await runProgram("git", ["-C", root, ...args]);
  if (code === 0) return stdout;
  if (absent) throw new UserError(exitCode.missing, "git is not on the PATH");
  if (/not a git repository/i.test(stderr))
    throw new UserError(
      exitCode.missing,
      "this folder is not in a Git repository",
      "run `git init`, and commit the files. `diff` then compares later changes with this commit",
    );
  if (stderr.trim() !== "") throw new UserError(exitCode.missing, `git: ${stderr.trim().split("\n")[0]}`);
  throw new UserError(
    exitCode.missing,
    `commit ${printable(ref)} does not exist`,
    "run `git fetch`, or use a commit that `git log --oneline` lists",
  );
}

/** Runs `git cat-file --batch` with the given input, and returns its output. */
async function batch(root: string, input: string): Promise<Buffer> {
  const { stdout, stderr, code } = await runBinary("git", ["-C", root, "cat-file", "--batch"], { input });
  if (code !== 0) throw new Error(`git cat-file: exit status ${code}: ${stderr.trim()}`);
  return stdout;
}

/**
 * Splits the output of `git cat-file --batch`. For each blob, the output contains a header line with the blob's size,
 * the content, and a line feed.
 */
function splitBatch(answer: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < answer.length; ) {
    const end = answer.indexOf("\n", at);
    const header = answer.subarray(at, end).toString();
    const size = Number(header.split(" ")[2]);
    if (!Number.isInteger(size))
      throw new UserError(
        exitCode.missing,
        `a Git object of the commit is missing in the Git repository: ${header}`,
        "if this repository is a partial clone, run `git fetch`; otherwise, run `git fsck`",
      );
    texts.push(answer.subarray(end + 1, end + 1 + size).toString());
    at = end + 1 + size + 1;
  }
  return texts;
}
