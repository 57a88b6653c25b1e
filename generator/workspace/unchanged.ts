import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentsFolder, identityFolder, overlayFolder } from "../emit/layout.ts";
import type { Diagnostic } from "../spec/diagnostic.ts";
import { writeAtomic } from "./files.ts";
import { journalFile } from "./journal.ts";
import { manifestFile, rootOwner } from "./manifest.ts";

/** What tells a file from what it was, without reading it; null where there is none. */
type Signature = string | null;

/** What was found of an owner's files when they were as they should be. */
export interface Finding {
  /** Number of its generated files. */
  readonly generated: number;
  /** What was told of it: warnings, and silenced ones. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Entry extends Finding {
  /** All that the owner's files are made of, and those files. */
  readonly paths: Readonly<Record<string, Signature>>;
}

/**
 * Remembers, outside the repository, which environments were found as they should be, so that a run over many need not read them again.
 * As Git's index does, it goes by size, inode and times of change. It is a matter of speed alone: without it, or with another meshops,
 * everything is read.
 */
export class Unchanged {
  readonly #root: string;
  readonly #file: string;
  readonly #program: string;
  readonly #known: Readonly<Record<string, Entry>>;
  readonly #noted: Record<string, Entry> = {};
  readonly #signatures = new Map<string, Signature>();

  constructor(root: string) {
    this.#root = root;
    this.#file = join(cacheFolder(), `${createHash("sha256").update(root).digest("hex").slice(0, 32)}.json`);
    this.#program = programSignature();
    this.#known = readMemory(this.#file, this.#program);
  }

  /** What was found of an owner, where nothing of it has changed since; null where something has, or may have. */
  recall(owner: string): Finding | null {
    const entry = this.#known[owner];
    if (entry === undefined) return null;
    for (const [path, signature] of Object.entries(entry.paths)) if (this.#signatureOf(path) !== signature) return null;
    this.#noted[owner] = entry;
    return entry;
  }

  /**
   * Notes that an owner's files are as they should be.
   *
   * @param specs files of its spec and of those that it extends
   */
  note(owner: string, specs: readonly string[], generated: readonly string[], diagnostics: readonly Diagnostic[]): void {
    const paths = [...this.#inputs(owner, specs), ...generated, manifestFile(owner), journalFile];
    // What was written since it was looked at is looked at anew.
    for (const path of paths) this.#signatures.delete(path);
    const signatures = paths.map((path) => [path, this.#signatureOf(path)] as const);
    this.#noted[owner] = { generated: generated.length, diagnostics, paths: Object.fromEntries(signatures) };
  }

  /** Keeps what was noted, but for what was changed so lately that it could change again without a sign. */
  save(): void {
    const now = Date.now();
    const settled = Object.entries(this.#noted).filter(
      ([, { paths }]) => !Object.values(paths).some((signature) => isYoung(signature, now)),
    );
    try {
      writeAtomic(this.#file, JSON.stringify({ program: this.#program, owners: Object.fromEntries(settled) }), {
        durable: false,
      });
    } catch {
      // A cache that cannot be written is none: the next run reads everything.
    }
  }

  /** A folder counts too: a file more or less in it changes its time. */
  #inputs(owner: string, specs: readonly string[]): string[] {
    if (owner === rootOwner) return [environmentsFolder];
    const folders = [identityFolder(owner), overlayFolder(owner, "identity")];
    return [...specs, ...folders.flatMap((folder) => [folder, ...this.#filesIn(folder)])];
  }

  #filesIn(folder: string): string[] {
    const path = join(this.#root, folder);
    return existsSync(path) ? readdirSync(path).map((name) => `${folder}/${name}`) : [];
  }

  #signatureOf(path: string): Signature {
    const known = this.#signatures.get(path);
    if (known !== undefined) return known;
    const signature = signatureOf(join(this.#root, path));
    this.#signatures.set(path, signature);
    return signature;
  }
}

function signatureOf(path: string): Signature {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : [stat.mode, stat.size, stat.ino, stat.mtimeMs, stat.ctimeMs].join(" ");
}

/** Milliseconds in which a file can change twice with the same time: more than the clocks of file systems are coarse. */
const youth = 100;

function isYoung(signature: Signature, now: number): boolean {
  return signature !== null && now - Number(signature.split(" ")[4]) < youth;
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME: xdg = "", LOCALAPPDATA: local = "" } = process.env;
  return join(xdg !== "" ? xdg : local !== "" ? local : join(homedir(), ".cache"), "meshops", "unchanged");
}

/** What tells this meshops from another: the files of the program itself. */
function programSignature(): string {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const hash = createHash("sha256").update(process.version);
  for (const file of files) hash.update(`${file} ${signatureOf(join(folder, file))}\n`);
  return hash.digest("hex");
}

function readMemory(file: string, program: string): Readonly<Record<string, Entry>> {
  try {
    const memory = JSON.parse(readFileSync(file, "utf8")) as { program: string; owners: Record<string, Entry> };
    return memory.program === program ? memory.owners : {};
  } catch {
    return {};
  }
}
