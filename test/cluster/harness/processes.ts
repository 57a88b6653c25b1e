import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The processes of a cluster. Each process has its own log file. `stop` stops the processes in reverse startup order.
 */
export class Processes {
  readonly #folder: string;
  readonly #enter: readonly string[];
  readonly #running: Map<string, ChildProcess> = new Map();

  /**
   * @param folder folder for logs, which is also the HOME of every process
   * @param enter program and arguments that start another program as a child process. If the list is empty, each
   *   process is started directly.
   */
  constructor(folder: string, enter: readonly string[] = []) {
    this.#folder = folder;
    this.#enter = enter;
    process.once("exit", () => this.#killAll());
  }

  start(name: string, program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const log = openSync(join(this.#folder, `${name}.log`), "a");
    const [first = program, ...rest] = [...this.#enter, program, ...args];
    const child = spawn(first, rest, {
      stdio: ["ignore", log, log],
      // With GOGC=400, the Go runtime collects garbage less often than by default. With the default, garbage collection
      // takes a third of the CPU time of an API server that runs for only a few minutes.
      env: { PATH: process.env["PATH"] ?? "", HOME: this.#folder, TMPDIR: this.#folder, GOGC: "400", ...env },
    });
    child.on("error", (error) => console.error(`${name}: ${error.message}`));
    this.#running.set(name, child);
  }

  /** Kills a process with SIGKILL, to simulate a crash. */
  async kill(name: string): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child !== undefined) await this.#end(child, "SIGKILL");
  }

  async stop(): Promise<void> {
    for (const child of [...this.#running.values()].reverse()) await this.#end(child, "SIGTERM");
    this.#running.clear();
  }

  /** Returns the last 4,000 characters of a process's log. */
  log(name: string): string {
    return this.fullLog(name).slice(-4000);
  }

  /**
   * Returns everything that a process has written to its log. If the process was restarted, this includes the output
   * before the restart.
   */
  fullLog(name: string): string {
    return readFileSync(join(this.#folder, `${name}.log`), "utf8");
  }

  /**
   * Sends a signal to a process, and waits until the process ends. Sends SIGTERM again after 1.5 seconds, because after
   * the first SIGTERM the API server waits for clients that watch objects. Sends SIGKILL after 8 seconds.
   */
  async #end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    this.#signal(child, signal);
    const timers = [
      setTimeout(() => this.#signal(child, "SIGTERM"), 1500),
      setTimeout(() => this.#signal(child, "SIGKILL"), 8000),
    ];
    await ended;
    timers.forEach(clearTimeout);
  }

  /**
   * Sends a signal to a process. If the program in `enter` started the process as a child, sends the signal to the
   * child.
   */
  #signal(child: ChildProcess, signal: NodeJS.Signals): void {
    if (this.#enter.length === 0) child.kill(signal);
    else for (const pid of childrenOf(child.pid)) process.kill(pid, signal);
  }

  #killAll(): void {
    for (const child of this.#running.values()) this.#signal(child, "SIGKILL");
  }
}

const firstPort = 20_000;
// Linux assigns the ports from 32768 on to outgoing connections and to `listen(0)`.
const lastPort = 32_767;
// Address at which processes reserve ports of 127.0.0.1. To reserve a port, a process listens on the port with the same
// number at this address until the process ends.
const reservations = "127.255.255.254";

/**
 * Reserves an unused port on 127.0.0.1 until this process ends, and returns the port. Other processes that call this
 * function receive other ports. A port from `listen(0)` is not reserved: after the listener is closed, another program
 * can use the port before the intended server starts.
 */
export async function reservePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const port = randomInt(firstPort, lastPort + 1);
    const marker = await listen(port, reservations);
    const trial = marker && (await listen(port, "127.0.0.1"));
    if (trial !== null) {
      trial.close();
      await once(trial, "close");
      return port;
    }
    marker?.close();
  }
  throw new Error(`no unused port between ${firstPort} and ${lastPort}`);
}

/** Starts a server on a port. The server does not keep this process alive. Returns null if the port is in use. */
async function listen(port: number, address: string): Promise<Server | null> {
  const server = createServer().listen(port, address).unref();
  return once(server, "listening").then(
    () => server,
    () => null,
  );
}

/**
 * Calls `probe` repeatedly until it returns a value other than undefined, null and false. Returns this value.
 *
 * @param probe function that returns the value; it may throw an error while the value is not available
 * @throws an error if `probe` returns no such value within the given number of seconds; the error contains the last
 *   error of `probe`
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false>,
  seconds: number = 180,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(300);
  }
  throw new Error(`timed out after ${seconds} s; expected: ${what}${last === undefined ? "" : ` (${String(last)})`}`);
}

/** Returns the process IDs of a process's children. Returns an empty list if the process has ended. */
function childrenOf(pid: number | undefined): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
