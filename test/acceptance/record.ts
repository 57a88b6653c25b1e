import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StepResult } from "./step.ts";

/** An object of the cluster, as kubectl prints it. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Content {
  /** Results of all steps that ran, by id. */
  results: Record<string, StepResult>;
  /** Whether the preflight found that pods with Linkerd's images can start. */
  linkerdImages: string | null;
  /** Objects as they were before a fault was planted. They are restored after the fault, or by the next run. */
  planted: ClusterObject[];
}

/**
 * Record of a run in its folder. Each change is written at once, so that a run that was killed can be resumed or
 * cleaned up.
 */
export class RunRecord {
  readonly #file: string;
  readonly #content: Content;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, "run.json");
    this.#content = existsSync(this.#file)
      ? (JSON.parse(readFileSync(this.#file, "utf8")) as Content)
      : { results: {}, linkerdImages: "the preflight did not run", planted: [] };
  }

  result(id: string): StepResult | undefined {
    return this.#content.results[id];
  }

  addResult(result: StepResult): void {
    this.#content.results[result.id] = result;
    this.#write();
  }

  /** Reason why pods with Linkerd's images cannot start; null if they can. */
  get linkerdImages(): string | null {
    return this.#content.linkerdImages;
  }

  set linkerdImages(reason: string | null) {
    this.#content.linkerdImages = reason;
    this.#write();
  }

  get planted(): readonly ClusterObject[] {
    return this.#content.planted;
  }

  set planted(objects: readonly ClusterObject[]) {
    this.#content.planted = [...objects];
    this.#write();
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#content, null, 1));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
