import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A command whose run time is measured. If the command runs a Node program, the memory use of this program is also
 * measured.
 */
export interface Contestant {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Called before each run. The time of this call is not measured. */
  readonly prepare?: () => void;
  /** Exit codes that are not errors. Default: only 0. */
  readonly codes?: readonly number[];
}

export interface Result {
  readonly name: string;
  /** Median wall-clock time of the runs, in milliseconds. */
  readonly ms: number;
  /** Largest resident memory of any run, in MiB. Null if the command is not a Node program. */
  readonly memory: number | null;
}

const peakHook = fileURLToPath(new URL("peak-memory.cjs", import.meta.url));
const peakFile = join(tmpdir(), `meshops-bench-peak-${process.pid}`);

/**
 * Runs every contestant once in each round, so that a slow period of the machine affects all contestants. Returns the
 * median time and the largest memory use of each contestant.
 *
 * @param warmUp whether to run an additional first round whose times are discarded
 */
export function race(contestants: readonly Contestant[], rounds: number, warmUp = true): Result[] {
  const times = new Map<string, number[]>();
  const peaks = new Map<string, number>();
  for (let round = warmUp ? -1 : 0; round < rounds; round += 1)
    for (const contestant of contestants) {
      contestant.prepare?.();
      const { ms, memory } = once(contestant);
      if (round < 0) continue;
      times.set(contestant.name, [...(times.get(contestant.name) ?? []), ms]);
      if (memory !== null) peaks.set(contestant.name, Math.max(peaks.get(contestant.name) ?? 0, memory));
    }
  return contestants.map(({ name }) => ({ name, ms: median(times.get(name) ?? []), memory: peaks.get(name) ?? null }));
}

function once({ name, command: [program, ...args], cwd, codes = [0] }: Contestant): { ms: number; memory: number | null } {
  const node = program === process.execPath;
  const env = {
    ...process.env,
    NO_COLOR: "1",
    ...(node ? { NODE_OPTIONS: `--require ${peakHook}`, MESHOPS_BENCH_PEAK: peakFile } : {}),
  };
  rmSync(peakFile, { force: true });
  const started = performance.now();
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 1e8,
  });
  const ms = performance.now() - started;
  if (error !== undefined || !codes.includes(status ?? -1))
    throw new Error(`${name}: exit ${status}\n${error?.message ?? stderr.slice(-2000)}`);
  return { ms, memory: node ? Number(readFileSync(peakFile, "utf8")) / 1024 : null };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
