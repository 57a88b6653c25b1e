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
  /** Result of each step, keyed by the id of the step. The results of steps with the status `not run` are included. */
  results: Record<string, StepResult>;
  /** Reason why pods with Linkerd's images cannot start; null if the step `preflight` has started such a pod. */
  linkerdImages: string | null;
  /**
   * Objects that the current fault changes or deletes, in their state before the fault. The list is empty after the
   * objects are restored. If the run is killed before the objects are restored, the next run restores them.
   */
  planted: ClusterObject[];
}

/**
 * State of a run, stored as run.json in the folder of the run. Each change is written to the file immediately.
 * Therefore the next run can resume a run that was killed, and `--clean-up` can remove its objects.
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

  /** Reason why pods with Linkerd's images cannot start; null if they can start. */
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
