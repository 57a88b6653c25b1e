import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { environmentsFolder, specFile } from "../emit/layout.ts";
import type { Diagnostic, DiagnosticCode } from "../spec/diagnostic.ts";
import { maxFileBytes } from "../spec/limits.ts";
import { parseSource } from "../spec/parse.ts";
import type { Source } from "../spec/source.ts";
import { compareText } from "../text.ts";
import { exitCode, UserError } from "../user-error.ts";

/** A GitOps repository on disk, read with a memory: every spec file is parsed once. */
export class Repository {
  /** Absolute path, symbolic links resolved. */
  readonly root: string;
  readonly #sources = new Map<string, Source | null>();

  /** @throws UserError (missing) where the folder holds no environments/ */
  constructor(folder: string) {
    if (!existsSync(join(folder, environmentsFolder)))
      throw new UserError(
        exitCode.missing,
        `${resolve(folder)} has no folder environments/`,
        "run meshops at the root of a platform repository, or name it with --directory",
      );
    this.root = realpathSync(folder);
  }

  /** Names of all spec files, sorted. */
  environmentNames(): string[] {
    return readdirSync(join(this.root, environmentsFolder))
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => file.slice(0, -".yaml".length))
      .sort(compareText);
  }

  /** The parsed spec file of a name; null where there is none. Unreadable files come back with a diagnostic. */
  readonly source = (name: string): Source | null => {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const source = this.#read(specFile(name));
    this.#sources.set(name, source);
    return source;
  };

  #read(file: string): Source | null {
    const path = join(this.root, file);
    if (!existsSync(path)) return null;
    const refuse = (code: DiagnosticCode, message: string, hint: string | null): Source => ({
      file,
      text: "",
      value: undefined,
      document: null,
      diagnostics: [wholeFile(file, code, message, hint)],
    });
    const folder = realpathSync(join(this.root, environmentsFolder));
    if (!realpathSync(path).startsWith(folder + sep))
      return refuse("file-outside", "the file is a symbolic link out of environments/", "put the file itself there");
    try {
      const { size } = statSync(path);
      if (size > maxFileBytes)
        return refuse(
          "file-too-large",
          "the file is larger than 1 MiB",
          "an environment is a few kilobytes; split it with extends",
        );
      return parseSource(file, new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(readFileSync(path)));
    } catch (error) {
      if (error instanceof TypeError) return refuse("file-encoding", "the file is not UTF-8 text", "save it as UTF-8");
      return refuse("file-unreadable", `the file cannot be read: ${(error as Error).message}`, null);
    }
  }
}

/** A diagnostic about a file as a whole. */
export function wholeFile(file: string, code: DiagnosticCode, message: string, hint: string | null): Diagnostic {
  return { file, line: 1, column: 1, code, severity: "error", message, expected: null, hint, excerpt: null };
}
