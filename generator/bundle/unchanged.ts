import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { encryptedFiles } from "../identity/read.ts";
import { journalFile } from "../identity/transaction.ts";
import { environmentsFolder, identityFolder } from "../spec/layout.ts";
import { writeAtomic } from "../system/files.ts";
import { inventoryFile, rootOwner } from "./inventory.ts";

/** What tells a file from what it was, without reading it; null where there is none. */
type Signature = string | null;

/** What was found of an owner's files when they were as they should be. */
export interface KnownFinding {
  /** Number of its generated files. */
  readonly generated: number;
  /** What was told of it: warnings, and silenced ones. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Entry extends KnownFinding {
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
  readonly #known: ReadonlyMap<string, Entry>;
  readonly #noted = new Map<string, Entry>();
  readonly #started = Date.now();
  readonly #signatures = new Map<string, Signature>();

  constructor(root: string) {
    this.#root = root;
    this.#file = join(cacheFolder(), `${createHash("sha256").update(root).digest("hex").slice(0, 32)}.json`);
    this.#program = programSignature();
    this.#known = readMemory(this.#file, this.#program);
  }

  /** What was found of an owner, where nothing of it has changed since; null where something has, or may have. */
  recall(owner: string): KnownFinding | null {
    const entry = this.#known.get(owner);
    if (entry === undefined) return null;
    for (const [path, signature] of Object.entries(entry.paths)) if (this.#signatureOf(path) !== signature) return null;
    this.#noted.set(owner, entry);
    return entry;
  }

  /**
   * Notes that an owner's files are as they should be.
   *
   * @param specs files of its spec and of those that it extends
   */
  note(owner: string, specs: readonly string[], generated: readonly string[], diagnostics: readonly Diagnostic[]): void {
    const inputs = this.#inputs(owner, specs);
    const paths = [...inputs, ...generated, inventoryFile(owner), journalFile];
    // What was written since it was looked at is looked at anew.
    for (const path of paths) this.#signatures.delete(path);
    // What somebody changed while this run was under way may not be what it read.
    if (inputs.some((path) => isYoung(this.#signatureOf(path), this.#started))) return;
    const signatures = paths.map((path) => [path, this.#signatureOf(path)] as const);
    this.#noted.set(owner, { generated: generated.length, diagnostics, paths: Object.fromEntries(signatures) });
  }

  /** Keeps what was noted, but for what was changed so lately that it could change again without a sign. */
  save(): void {
    const now = Date.now();
    const settled = [...this.#noted].filter(
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

  /** The folder of specs counts too: a file more or less in it changes its time. */
  #inputs(owner: string, specs: readonly string[]): string[] {
    if (owner === rootOwner) return [environmentsFolder];
    return [...specs, ...this.#filesIn(identityFolder(owner)), ...encryptedFiles(this.#root, owner)];
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

/** Whether a file was changed after a time, or so shortly before it that the two cannot be told apart. */
function isYoung(signature: Signature, now: number): boolean {
  return signature !== null && now - Number(signature.split(" ")[4]) < youth;
}

/** Milliseconds in which a file can change twice with the same time: more than the clocks of file systems are coarse. */
const youth = 100;

/** The folder that MESHOPS_UNCHANGED names, or one of the user's cache. */
function cacheFolder(): string {
  const { MESHOPS_UNCHANGED: own = "", XDG_CACHE_HOME: xdg = "", LOCALAPPDATA: local = "" } = process.env;
  if (own !== "") return own;
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

function readMemory(file: string, program: string): ReadonlyMap<string, Entry> {
  try {
    const memory = JSON.parse(readFileSync(file, "utf8")) as { program: string; owners: Record<string, Entry> };
    return new Map(memory.program === program ? Object.entries(memory.owners) : []);
  } catch {
    return new Map();
  }
}
