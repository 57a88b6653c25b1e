import { createHash } from "node:crypto";
import { exitCode, UserError } from "../system/errors.ts";
import { runBinary, runProgram } from "../system/process.ts";
import { printable } from "../system/text.ts";

/** The files of a commit, by path from the repository's root; texts are read when they are asked for. */
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
   * Reads what a commit holds in some folders and files.
   *
   * @param root the platform repository, which may be a folder of the Git repository
   * @param ref anything that names a commit: `HEAD`, `origin/main`, a tag
   * @throws UserError (missing) where there is no git, no repository or no such commit
   */
  static async open(root: string, ref: string, paths: readonly string[]): Promise<GitTree> {
    const commit = await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`], ref);
    const list = await git(root, ["ls-tree", "-r", "-z", commit.trim(), "--", ...paths], ref);
    const ids = new Map<string, string>();
    for (const entry of list.split("\0")) {
      const [, id, path] = /^[0-7]+ blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
      if (id !== undefined && path !== undefined) ids.set(path, id);
    }
    const [first = ""] = ids.values();
    return new GitTree(root, ids, first.length === 64 ? "sha256" : "sha1");
  }

  paths(): Iterable<string> {
    return this.#ids.keys();
  }

  /** Whether the commit holds a file with exactly this text; nothing is read for it. */
  holds(path: string, text: string): boolean {
    const id = this.#ids.get(path);
    return id !== undefined && id === this.#idOf(text);
  }

  /** Git's name of a blob: the hash of `blob`, its length in bytes, and its content. */
  #idOf(text: string): string {
    const content = Buffer.from(text);
    return createHash(this.#algorithm).update(`blob ${content.length}\0`).update(content).digest("hex");
  }

  /** Texts of files, those of the paths that the commit has, in one call of git. */
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
  if (absent) throw new UserError(exitCode.missing, "there is no git on the PATH");
  if (/not a git repository/i.test(stderr))
    throw new UserError(
      exitCode.missing,
      "this folder is in no Git repository",
      "git init, and commit what meshops is to compare with",
    );
  if (stderr.trim() !== "") throw new UserError(exitCode.missing, `git: ${stderr.trim().split("\n")[0]}`);
  throw new UserError(
    exitCode.missing,
    `there is no commit ${printable(ref)}`,
    "git log --oneline shows those that there are; git fetch gets others",
  );
}

/** What `git cat-file --batch` answers. */
async function batch(root: string, input: string): Promise<Buffer> {
  const { stdout, stderr, code } = await runBinary("git", ["-C", root, "cat-file", "--batch"], { input });
  if (code !== 0) throw new Error(`git cat-file ended with ${code}: ${stderr.trim()}`);
  return stdout;
}

/** A header line with the size, the content and a line feed, for each blob. */
function splitBatch(answer: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < answer.length; ) {
    const end = answer.indexOf("\n", at);
    const header = answer.subarray(at, end).toString();
    const size = Number(header.split(" ")[2]);
    if (!Number.isInteger(size))
      throw new UserError(exitCode.missing, `git has no object for ${header}`, "git fsck; a partial clone needs git fetch");
    texts.push(answer.subarray(end + 1, end + 1 + size).toString());
    at = end + 1 + size + 1;
  }
  return texts;
}
