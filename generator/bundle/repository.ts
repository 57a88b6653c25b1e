import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { type Diagnostic, type DiagnosticCode, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import { maxFileBytes, tooLarge } from "../diagnostics/limits.ts";
import type { Source } from "../diagnostics/source.ts";
import { environmentsFolder, specFile } from "../spec/layout.ts";
import { parseSource } from "../spec/parse.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { findUp } from "../system/files.ts";
import { shellWord } from "../system/shell.ts";
import { compareText } from "../system/text.ts";

/** A platform repository on disk. The object caches parsed specs. */
export class Repository {
  /** Absolute path of the repository, with symbolic links resolved. */
  readonly root: string;
  readonly #sources = new Map<string, Source | null>();

  /** @throws UserError (missing) if the folder has no subfolder environments/ */
  constructor(folder: string) {
    if (statOf(join(folder, environmentsFolder))?.isDirectory() !== true) {
      const above = findUp(dirname(resolve(folder)), environmentsFolder);
      throw new UserError(
        exitCode.missing,
        `${resolve(folder)} has no folder environments/`,
        above === null
          ? "run meshops in the root folder of a platform repository, or specify that root folder with --directory"
          : `add -C ${shellWord(relative(resolve(folder), above))} to run meshops in the root of the repository`,
      );
    }
    this.root = realpathSync(folder);
  }

  /**
   * Returns the names of all spec files, sorted and without the ending `.yaml`. Ignores hidden files, because editors
   * create hidden files.
   */
  environmentNames(): string[] {
    return this.#specs(".yaml");
  }

  /** Returns findings about files that meshops ignores because their names end in `.yml` instead of `.yaml`. */
  strayFiles(): Diagnostic[] {
    return this.#specs(".yml").map((name) => {
      const message = "this file is ignored, because the file name of a spec must end in .yaml";
      return fileDiagnostic(`${environmentsFolder}/${name}.yml`, {
        code: "name-mismatch",
        message,
        fix: `rename the file to ${name}.yaml`,
      });
    });
  }

  #specs(ending: string): string[] {
    return readdirSync(join(this.root, environmentsFolder))
      .filter((file) => file.endsWith(ending) && !file.startsWith("."))
      .map((file) => file.slice(0, -ending.length))
      .sort(compareText);
  }

  /**
   * Returns the parsed spec file of an environment; null if the file does not exist. If the file cannot be read, the
   * result contains an empty text and a diagnostic.
   */
  readonly source = (name: string): Source | null => {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const source = this.#read(specFile(name));
    this.#sources.set(name, source);
    return source;
  };

  /** Clears the cache of parsed specs, so that each spec is read from disk again. */
  forget(): void {
    this.#sources.clear();
  }

  #read(file: string): Source | null {
    const path = join(this.root, file);
    if (statOf(path, lstatSync) === null) return null;
    const refuse = (code: DiagnosticCode, message: string, fix: string | null): Source => ({
      file,
      text: "",
      value: undefined,
      document: null,
      diagnostics: [fileDiagnostic(file, { code, message, fix })],
    });
    const stat = statOf(path);
    if (stat === null)
      return refuse(
        "file-missing",
        "the file is a symbolic link whose target does not exist",
        "replace the link with a regular file",
      );
    const folder = realpathSync(join(this.root, environmentsFolder));
    if (!realpathSync(path).startsWith(folder + sep))
      return refuse(
        "file-outside",
        "the file is a symbolic link to a file outside environments/",
        "replace the link with a regular file",
      );
    if (!stat.isFile()) return refuse("file-unreadable", "the spec is not a regular file", null);
    // parseSource checks the same limit. The check here prevents meshops from reading a file that is too large.
    if (stat.size > maxFileBytes) return refuse(tooLarge.code, tooLarge.message, tooLarge.fix);
    try {
      return parseSource(file, new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)));
    } catch (error) {
      if (error instanceof TypeError) return refuse("file-encoding", "the file is not UTF-8 text", "save the file as UTF-8");
      return refuse("file-unreadable", `the file cannot be read: ${(error as Error).message}`, null);
    }
  }
}

function statOf(path: string, stat: typeof statSync = statSync): Stats | null {
  return stat(path, { throwIfNoEntry: false }) ?? null;
}
